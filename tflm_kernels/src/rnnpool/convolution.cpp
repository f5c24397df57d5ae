#include "rnnpool/convolution.h"

#include <string.h>

#include "rnnpool/depthwise.h"
#include "rnnpool/dsp_instructions.h"
#include "rnnpool/pointwise.h"

namespace rnnpool {
namespace {

// Keeps every sum of positions within int32.
const int32_t kMaxSide = 32767;

size_t Align(size_t bytes) { return (bytes + 3) & ~static_cast<size_t>(3); }

int32_t Taps(const Convolution& convolution) {
  return convolution.kernel_height * convolution.kernel_width;
}

// A full convolution is a 1x1 convolution of patches, and some are 1x1 to begin with.
Pointwise OfPatches(const Convolution& convolution) {
  const Pointwise pointwise = {Taps(convolution) * convolution.in_channels,
                               convolution.out_channels, convolution.weights, convolution.table,
                               convolution.range};
  return pointwise;
}

Depthwise AsDepthwise(const Convolution& convolution) {
  const Depthwise depthwise = {convolution.in_channels, Taps(convolution), convolution.weights,
                               convolution.table, convolution.range};
  return depthwise;
}

bool IsPointwise(const Convolution& convolution) {
  return Taps(convolution) == 1 && convolution.stride_width == 1 && convolution.pad_left == 0 &&
         convolution.out_width == convolution.in_width;
}

int8_t* Fill(int32_t zero_point, int32_t count, int8_t* place) {
  memset(place, zero_point, static_cast<size_t>(count));
  return place + count;
}

// Returns the copy's end.
inline int8_t* Copy(const int8_t* bytes, int32_t count, int8_t* place) {
#if RNNPOOL_USE_DSP
  // A few bytes at any address; calling memcpy costs more than copying them.
  if (count >= 4) {
    int8_t* last = place + count - 4;
    const uint32_t last_word = Word(bytes + count - 4);
    for (; place < last; place += 4, bytes += 4) StoreWord(Word(bytes), place);
    StoreWord(last_word, last);
    return last + 4;
  }
#endif
  memcpy(place, bytes, static_cast<size_t>(count));
  return place + count;
}

// The part of `row` from column `left` on, [kernel_width][in_channels]. Returns its end.
int8_t* GatherRow(const Convolution& convolution, const int8_t* row, int32_t left, int8_t* patch) {
  const int32_t channels = convolution.in_channels;
  const int32_t width = convolution.kernel_width;
  const int32_t first = left < 0 ? -left : 0;
  const int32_t after = left + width > convolution.in_width ? convolution.in_width - left : width;
  if (row == nullptr || first >= after) {
    return Fill(convolution.input_zero_point, width * channels, patch);
  }
  patch = Fill(convolution.input_zero_point, first * channels, patch);
  const int32_t inside = (after - first) * channels;
  patch = Copy(row + (left + first) * channels, inside, patch);
  return Fill(convolution.input_zero_point, (width - after) * channels, patch);
}

bool AreInside(const int8_t* const* rows, int32_t count) {
  for (int32_t y = 0; y < count; ++y) {
    if (rows[y] == nullptr) return false;
  }
  return true;
}

// What a pixel of the output sees, [kernel_height][kernel_width][in_channels], from column `left`.
void GatherPatch(const Convolution& convolution, const int8_t* const* rows, bool rows_inside,
                 int32_t left, int8_t* patch) {
  const int8_t* const* end = rows + convolution.kernel_height;
  if (rows_inside && left >= 0 && left <= convolution.in_width - convolution.kernel_width) {
    const int32_t start = left * convolution.in_channels;
    const int32_t bytes = convolution.kernel_width * convolution.in_channels;
    for (; rows != end; ++rows) patch = Copy(*rows + start, bytes, patch);
  } else {
    for (; rows != end; ++rows) patch = GatherRow(convolution, *rows, left, patch);
  }
}

void RunFull(const Convolution& convolution, const int8_t* const* rows, int8_t* output,
             void* workspace) {
  const Pointwise pointwise = OfPatches(convolution);
  int8_t* patches = static_cast<int8_t*>(workspace);
  if (IsPointwise(convolution) && rows[0] != nullptr) {
    RunPointwise(pointwise, rows[0], convolution.out_width, output, workspace);
    return;
  }
  void* rest = patches + Align(static_cast<size_t>(kPixelsAtOnce) * pointwise.inputs);
  const bool rows_inside = AreInside(rows, convolution.kernel_height);
  int32_t column = -convolution.pad_left;
  for (int32_t x = 0; x < convolution.out_width; x += kPixelsAtOnce) {
    const int32_t left = convolution.out_width - x;
    const int32_t count = left < kPixelsAtOnce ? left : kPixelsAtOnce;
    for (int32_t i = 0; i < count; ++i) {
      GatherPatch(convolution, rows, rows_inside, column, patches + i * pointwise.inputs);
      column += convolution.stride_width;
    }
    RunPointwise(pointwise, patches, count, output, rest);
    output += count * convolution.out_channels;
  }
}

void RunDepthwiseRow(const Convolution& convolution, const int8_t* const* rows, int8_t* output,
                     void* workspace) {
  const int32_t channels = convolution.in_channels;
  const Depthwise depthwise = AsDepthwise(convolution);
  int8_t* outside = static_cast<int8_t*>(workspace);
  Fill(convolution.input_zero_point, channels, outside);
  const int8_t* taps[kMaxKernel * kMaxKernel];
  for (int32_t x = 0; x < convolution.out_width; ++x) {
    const int32_t left = x * convolution.stride_width - convolution.pad_left;
    const int8_t** tap = taps;
    for (int32_t y = 0; y < convolution.kernel_height; ++y) {
      for (int32_t column = left; column < left + convolution.kernel_width; ++column) {
        const bool inside = rows[y] != nullptr && column >= 0 && column < convolution.in_width;
        *tap++ = inside ? rows[y] + column * channels : outside;
      }
    }
    RunDepthwise(depthwise, taps, output);
    output += channels;
  }
}

bool IsSide(int32_t value, int32_t smallest) { return value >= smallest && value <= kMaxSide; }

}  // namespace

const char* CheckConvolution(const Convolution& convolution) {
  if (!IsSide(convolution.in_width, 1) || !IsSide(convolution.out_width, 1) ||
      !IsSide(convolution.in_channels, 1) || !IsSide(convolution.out_channels, 1) ||
      !IsSide(convolution.stride_width, 1) || !IsSide(convolution.pad_left, 0)) {
    return "A convolution's sizes and strides must be in 1..32767, its padding in 0..32767.";
  }
  if (convolution.kernel_height < 1 || convolution.kernel_height > kMaxKernel ||
      convolution.kernel_width < 1 || convolution.kernel_width > kMaxKernel) {
    return "A convolution's kernel must have 1 to 11 rows and columns.";
  }
  if (convolution.depthwise && convolution.in_channels != convolution.out_channels) {
    return "A depthwise convolution must have as many outputs as inputs.";
  }
  if (convolution.input_zero_point < -128 || convolution.input_zero_point > 127) {
    return "A convolution's input zero point must be in -128..127.";
  }
  return convolution.depthwise ? CheckDepthwise(AsDepthwise(convolution))
                               : CheckPointwise(OfPatches(convolution));
}

void FindShortForm(Convolution* convolution) {
  const int32_t inputs = convolution->depthwise ? 1 : convolution->in_channels;
  convolution->table.short_form =
      HasShortForm(convolution->table, convolution->out_channels, Taps(*convolution) * inputs);
}

size_t ConvolutionWorkspace(const Convolution& convolution) {
  if (convolution.depthwise) return Align(static_cast<size_t>(convolution.in_channels));
  const Pointwise pointwise = OfPatches(convolution);
  const size_t own = PointwiseWorkspace(pointwise);
  if (IsPointwise(convolution)) return own;
  return Align(static_cast<size_t>(kPixelsAtOnce) * pointwise.inputs) + Align(own);
}

void RunConvolutionRow(const Convolution& convolution, const int8_t* const* rows, int8_t* output,
                       void* workspace) {
  if (convolution.depthwise) {
    RunDepthwiseRow(convolution, rows, output, workspace);
  } else {
    RunFull(convolution, rows, output, workspace);
  }
}

}  // namespace rnnpool
