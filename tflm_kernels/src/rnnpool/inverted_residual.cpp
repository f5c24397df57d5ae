#include "rnnpool/inverted_residual.h"

#include <string.h>

namespace rnnpool {
namespace {

const int64_t kLargest = INT32_MAX;
const char kTooLarge[] = "The block is too large: its memory would exceed 2 GiB.";

bool Expands(const InvertedResidualSpec& spec) { return spec.expand.weights != nullptr; }

// a * b, or more than kLargest when the product is. Both in 0..kLargest + 1.
int64_t Multiply(int64_t a, int64_t b) { return b != 0 && a > kLargest / b ? kLargest + 1 : a * b; }

// Whether windows of `kernel` every `stride` pixels, the first beginning `pad` before the map, all
// begin inside it.
bool WindowsFit(int32_t size, int32_t kernel, int32_t stride, int32_t pad, int32_t out_size) {
  return stride >= 1 && pad >= 0 && pad < kernel && out_size >= 1 &&
         static_cast<int64_t>(out_size - 1) * stride - pad < size;
}

const char* CheckShapes(const InvertedResidualSpec& spec) {
  if (spec.height < 1 || spec.width < 1 || spec.channels < 1) {
    return "The map's height, width and channels must be at least 1.";
  }
  // Leaves room for a window to reach beyond the map.
  if (spec.height > kLargest - 2 * kLargestFilter || spec.width > kLargest - 2 * kLargestFilter) {
    return kTooLarge;
  }
  if (spec.kernel_height < 1 || spec.kernel_height > kLargestFilter || spec.kernel_width < 1 ||
      spec.kernel_width > kLargestFilter) {
    return "The depthwise kernel's height and width must be in 1..7.";
  }
  if (spec.filter.taps != spec.kernel_height * spec.kernel_width) {
    return "The depthwise weights must have a tap for every pixel of the kernel.";
  }
  if (!WindowsFit(spec.height, spec.kernel_height, spec.stride_height, spec.pad_top,
                  spec.out_height) ||
      !WindowsFit(spec.width, spec.kernel_width, spec.stride_width, spec.pad_left,
                  spec.out_width)) {
    return "Strides must be at least 1, padding less than the kernel, and every window must begin "
           "inside the map or its padding before it.";
  }
  if (Expands(spec) && spec.expand.inputs != spec.channels) {
    return "The expansion must take the map's channels.";
  }
  if (spec.filter.channels != (Expands(spec) ? spec.expand.outputs : spec.channels) ||
      spec.project.inputs != spec.filter.channels) {
    return "The stages' channels do not agree.";
  }
  if (spec.residual &&
      (spec.stride_height != 1 || spec.stride_width != 1 || spec.out_height != spec.height ||
       spec.out_width != spec.width || spec.project.outputs != spec.channels)) {
    return "A residual needs strides of 1 and an output of the input's shape.";
  }
  return nullptr;
}

const char* CheckStages(const InvertedResidualSpec& spec) {
  if (spec.input_zero_point < -128 || spec.input_zero_point > 127) {
    return "The input's zero point must be in -128..127.";
  }
  const char* error = Expands(spec) ? CheckPointwise(spec.expand) : nullptr;
  if (error == nullptr) error = CheckDepthwise(spec.filter);
  if (error == nullptr) error = CheckPointwise(spec.project);
  if (error == nullptr && spec.residual) {
    error = CheckResidualAdd(spec.add);
    if (error == nullptr && (spec.add.x_zero_point != spec.input_zero_point ||
                             spec.add.y_zero_point != spec.project.range.zero_point)) {
      error = "The sum's zero points must be those of the map and of the projection.";
    }
  }
  return error;
}

// Sets *position to the end of the parts so far and moves the end. False when that is too far.
bool Append(int64_t bytes, int64_t* end, size_t* position) {
  *position = static_cast<size_t>(*end);
  *end += bytes;
  return *end <= kLargest;
}

// The padding's value, in the units of what is filtered.
int32_t PaddingValue(const InvertedResidualSpec& spec) {
  return Expands(spec) ? spec.expand.range.zero_point : spec.input_zero_point;
}

// Returns false when the memory is too large.
bool LayOut(const InvertedResidualSpec& spec, InvertedResidual* layer) {
  // A block of pixels may be expanded as soon as its first is needed, hence the last summand.
  const int64_t window = static_cast<int64_t>(spec.kernel_height - 1) * spec.width +
                         spec.kernel_width + kBlockPixels - 1;
  const int64_t pixels = Multiply(spec.height, spec.width);
  const int64_t ring = window < pixels ? window : pixels;
  const int64_t channels = spec.filter.channels;
  const int64_t outputs = spec.project.outputs;
  size_t scratch = PointwiseWorkspace(spec.project);
  if (Expands(spec) && PointwiseWorkspace(spec.expand) > scratch) {
    scratch = PointwiseWorkspace(spec.expand);
  }

  layer->spec = spec;
  if (Expands(spec)) FindShortForm(&layer->spec.expand);
  FindShortForm(&layer->spec.filter);
  FindShortForm(&layer->spec.project);
  layer->ring_pixels = static_cast<int32_t>(ring);
  int64_t end = 0;
  const bool fits =
      Append(static_cast<int64_t>(scratch), &end, &layer->pointwise) &&
      Append(Multiply(ring, channels), &end, &layer->ring) &&
      Append(channels, &end, &layer->padding) &&
      Append(Multiply(kBlockPixels, channels), &end, &layer->filtered) &&
      Append(spec.residual ? Multiply(kBlockPixels, outputs) : 0, &end, &layer->projected);
  layer->workspace_bytes = static_cast<size_t>(end);
  return fits;
}

}  // namespace

const char* PlanInvertedResidual(const InvertedResidualSpec& spec, InvertedResidual* layer) {
  const char* error = CheckShapes(spec);
  if (error != nullptr) return error;
  const int64_t pixels = Multiply(spec.height, spec.width);
  const int64_t out_pixels = Multiply(spec.out_height, spec.out_width);
  if (Multiply(pixels, spec.channels) > kLargest ||
      Multiply(out_pixels, spec.project.outputs) > kLargest) {
    return kTooLarge;
  }
  error = CheckStages(spec);
  if (error != nullptr) return error;

  return LayOut(spec, layer) ? nullptr : kTooLarge;
}

void LayOutInvertedResidual(const InvertedResidualSpec& spec, InvertedResidual* layer) {
  LayOut(spec, layer);
}

InvertedResidualSweep::InvertedResidualSweep(const InvertedResidual& layer)
    : layer_(layer),
      ring_(nullptr),
      padding_(nullptr),
      filtered_(nullptr),
      projected_(nullptr),
      pointwise_(nullptr),
      output_(nullptr),
      finished_(0),
      row_(nullptr),
      row_index_(-1),
      next_pixel_(0),
      next_slot_(0) {}

void InvertedResidualSweep::Begin(void* workspace) {
  int8_t* const parts = static_cast<int8_t*>(workspace);
  ring_ = parts + layer_.ring;
  padding_ = parts + layer_.padding;
  filtered_ = parts + layer_.filtered;
  projected_ = parts + layer_.projected;
  pointwise_ = parts + layer_.pointwise;
  finished_ = 0;
  row_index_ = -1;
  next_pixel_ = 0;
  next_slot_ = 0;
  memset(padding_, PaddingValue(layer_.spec), static_cast<size_t>(layer_.spec.filter.channels));
}

void InvertedResidualSweep::Take(const int8_t* row) {
  row_ = row;
  ++row_index_;
}

bool InvertedResidualSweep::Next(int8_t* output) {
  const InvertedResidualSpec& spec = layer_.spec;
  const int32_t last_row = spec.height - 1;
  const bool complete = finished_ == spec.out_height;
  const int32_t top = complete ? spec.height : finished_ * spec.stride_height - spec.pad_top;
  const int32_t window_end = top + spec.kernel_height - 1;
  if (complete || (window_end < last_row ? window_end : last_row) > row_index_) {
    // What the next window does not see yet has fewer rows than the kernel, so the ring has room.
    ExpandTo(spec.width);
    return false;
  }
  // A window that ends below the map frees all of it, because it has fewer rows than the kernel.
  if (window_end > last_row) ExpandTo(spec.width);
  const int32_t rows_ago = row_index_ - finished_;
  output_ = output;
  ComputeRow(spec.residual ? row_ - rows_ago * spec.width * spec.channels : nullptr);
  ++finished_;
  return true;
}

// Expands the current row until `columns` pixels of it are in the ring.
void InvertedResidualSweep::ExpandTo(int32_t columns) {
  const InvertedResidualSpec& spec = layer_.spec;
  const int32_t channels = spec.filter.channels;
  const int32_t row_start = row_index_ * spec.width;
  while (next_pixel_ - row_start < columns) {
    const int32_t column = next_pixel_ - row_start;
    int32_t count = spec.width - column;
    if (count > kBlockPixels) count = kBlockPixels;
    if (count > layer_.ring_pixels - next_slot_) count = layer_.ring_pixels - next_slot_;
    const int8_t* pixels = row_ + column * spec.channels;
    int8_t* expanded = ring_ + next_slot_ * channels;
    if (Expands(spec)) {
      RunPointwise(spec.expand, pixels, count, expanded, pointwise_);
    } else {
      memcpy(expanded, pixels, static_cast<size_t>(count * channels));
    }
    next_pixel_ += count;
    next_slot_ += count;
    if (next_slot_ == layer_.ring_pixels) next_slot_ = 0;
  }
}

// One of the last ring_pixels pixels of the map that were expanded.
const int8_t* InvertedResidualSweep::RingPixel(int32_t pixel) const {
  int32_t slot = next_slot_ - (next_pixel_ - pixel);
  if (slot < 0) slot += layer_.ring_pixels;
  return ring_ + slot * layer_.spec.filter.channels;
}

// The filtered pixel of a column of the output row in work, whose window must be in the ring.
void InvertedResidualSweep::Filter(int32_t column, int8_t* filtered) const {
  const InvertedResidualSpec& spec = layer_.spec;
  const int32_t top = finished_ * spec.stride_height - spec.pad_top;
  const int32_t left = column * spec.stride_width - spec.pad_left;
  const int8_t* taps[kLargestFilter * kLargestFilter];
  const int8_t** tap = taps;
  for (int32_t y = top; y < top + spec.kernel_height; ++y) {
    const bool outside = y < 0 || y >= spec.height;
    for (int32_t x = left; x < left + spec.kernel_width; ++x) {
      *tap++ = outside || x < 0 || x >= spec.width ? padding_ : RingPixel(y * spec.width + x);
    }
  }
  RunDepthwise(spec.filter, taps, filtered);
}

// Projects the filtered pixels to the output's next. `residual`: of x, at the same place.
void InvertedResidualSweep::Project(const int8_t* residual, int32_t count) {
  const InvertedResidualSpec& spec = layer_.spec;
  const int32_t outputs = spec.project.outputs;
  if (spec.residual) {
    RunPointwise(spec.project, filtered_, count, projected_, pointwise_);
    RunResidualAdd(spec.add, residual, projected_, count * outputs, output_);
  } else {
    RunPointwise(spec.project, filtered_, count, output_, pointwise_);
  }
  output_ += count * outputs;
}

void InvertedResidualSweep::ComputeRow(const int8_t* residual) {
  const InvertedResidualSpec& spec = layer_.spec;
  int32_t held = 0;
  for (int32_t column = 0; column < spec.out_width; ++column) {
    const int32_t window_end = column * spec.stride_width - spec.pad_left + spec.kernel_width;
    ExpandTo(window_end < spec.width ? window_end : spec.width);
    Filter(column, filtered_ + held * spec.filter.channels);
    ++held;
    if (held == kBlockPixels || column + 1 == spec.out_width) {
      Project(residual, held);
      if (spec.residual) residual += held * spec.channels;
      held = 0;
    }
  }
}

void RunInvertedResidual(const InvertedResidual& layer, int32_t batch, const int8_t* x, int8_t* y,
                         void* workspace) {
  const InvertedResidualSpec& spec = layer.spec;
  InvertedResidualSweep sweep(layer);
  for (int32_t n = 0; n < batch; ++n) {
    sweep.Begin(workspace);
    for (int32_t row = 0; row < spec.height; ++row) {
      sweep.Take(x);
      while (sweep.Next(y)) y += spec.out_width * spec.project.outputs;
      x += spec.width * spec.channels;
    }
  }
}

}  // namespace rnnpool
