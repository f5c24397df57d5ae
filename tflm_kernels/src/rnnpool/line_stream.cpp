#include "rnnpool/line_stream.h"

#include <string.h>

#include "rnnpool/front_image.h"

namespace rnnpool {
namespace {

// A 5-bit or 6-bit value as a byte: its top bits are repeated below, so that the brightest value
// becomes 255.
uint8_t Widen(uint32_t value, int bits) {
  return static_cast<uint8_t>(value << (8 - bits) | value >> (2 * bits - 8));
}

}  // namespace

const char* Describe(LineStatus status) {
  switch (status) {
    case LineStatus::kOk:
      return "The line was taken.";
    case LineStatus::kNotOpen:
      return "No front has been opened.";
    case LineStatus::kNotBegun:
      return "No picture has been begun.";
    case LineStatus::kOutOfOrder:
      return "This is not the line that is due.";
    case LineStatus::kWrongLength:
      return "The line does not have the length of a line of this format.";
    case LineStatus::kSurplus:
      return "The picture is already complete.";
    case LineStatus::kWrongFormat:
      return "The network's channels do not go with this pixel format.";
    case LineStatus::kMapTooSmall:
      return "The memory for the map is too small.";
    case LineStatus::kWorkspaceTooSmall:
      return "The workspace is too small.";
    case LineStatus::kMisaligned:
      return "The workspace must be aligned to 4 bytes.";
  }
  return "This status is unknown.";
}

LineStream::LineStream()
    : image_(nullptr),
      image_size_(0),
      pixel_table_(nullptr),
      height_(0),
      width_(0),
      channels_(0),
      next_line_(0),
      begun_(false),
      front_(),
      sweep_(front_) {}

const char* LineStream::Open(const void* image, size_t size) {
  image_ = nullptr;
  begun_ = false;
  height_ = width_ = channels_ = next_line_ = 0;
  front_.map_height = front_.map_width = front_.map_channels = 0;
  front_.workspace_bytes = 0;
  FrontImage parsed;
  const char* error = ParseFront(image, size, &parsed);
  if (error == nullptr) error = PlanFront(parsed.front, &front_);
  if (error != nullptr) return error;
  image_ = image;
  image_size_ = size;
  pixel_table_ = parsed.pixel_table;
  height_ = parsed.front.pool.height;
  width_ = parsed.front.pool.width;
  channels_ = parsed.front.pool.channels;
  return nullptr;
}

size_t LineStream::line_bytes(PixelFormat format) const {
  const size_t width = static_cast<size_t>(width_);
  switch (format) {
    case PixelFormat::kInt8:
      return width * static_cast<size_t>(channels_);
    case PixelFormat::kGrey8:
      return channels_ == 1 ? width : 0;
    case PixelFormat::kRgb888:
      return channels_ == 3 ? 3 * width : 0;
    case PixelFormat::kRgb565:
    case PixelFormat::kRgb565LittleEndian:
      return channels_ == 3 ? 2 * width : 0;
  }
  return 0;
}

size_t LineStream::map_bytes() const {
  return static_cast<size_t>(front_.map_height) * static_cast<size_t>(front_.map_width) *
         static_cast<size_t>(front_.map_channels);
}

LineStatus LineStream::Begin(int8_t* map, size_t map_bytes, void* workspace,
                             size_t workspace_bytes) {
  begun_ = false;
  if (image_ == nullptr) return LineStatus::kNotOpen;
  if (map == nullptr || map_bytes < this->map_bytes()) return LineStatus::kMapTooSmall;
  if (workspace == nullptr || workspace_bytes < this->workspace_bytes()) {
    return LineStatus::kWorkspaceTooSmall;
  }
  if (reinterpret_cast<uintptr_t>(workspace) % 4 != 0) return LineStatus::kMisaligned;
  // Read again instead of kept, because it would take memory all the time. It was in order before.
  FrontImage parsed;
  ParseFront(image_, image_size_, &parsed);
  BuildFront(parsed.front, workspace, &front_);
  sweep_.Begin(map, workspace);
  next_line_ = 0;
  begun_ = true;
  return LineStatus::kOk;
}

LineStatus LineStream::Feed(int32_t y, const void* line, size_t bytes, PixelFormat format) {
  if (image_ == nullptr) return LineStatus::kNotOpen;
  if (!begun_) return LineStatus::kNotBegun;
  if (next_line_ == height_) return LineStatus::kSurplus;
  if (y != next_line_) return LineStatus::kOutOfOrder;
  const size_t expected = line_bytes(format);
  if (expected == 0) return LineStatus::kWrongFormat;
  if (line == nullptr || bytes != expected) return LineStatus::kWrongLength;
  Convert(static_cast<const uint8_t*>(line), format, sweep_.NextRow());
  sweep_.Take();
  ++next_line_;
  return LineStatus::kOk;
}

int8_t LineStream::Value(uint8_t pixel, int32_t channel) const {
  return pixel_table_ != nullptr ? pixel_table_[256 * channel + pixel]
                                 : static_cast<int8_t>(pixel - 128);
}

void LineStream::Convert(const uint8_t* line, PixelFormat format, int8_t* row) const {
  const int32_t count = width_ * channels_;
  if (format == PixelFormat::kInt8) {
    memcpy(row, line, static_cast<size_t>(count));
  } else if (format == PixelFormat::kGrey8) {
    for (int32_t i = 0; i < count; ++i) row[i] = Value(line[i], 0);
  } else if (format == PixelFormat::kRgb888) {
    for (int32_t i = 0; i < count; i += 3) {
      for (int32_t c = 0; c < 3; ++c) row[i + c] = Value(line[i + c], c);
    }
  } else {
    const int32_t high = format == PixelFormat::kRgb565 ? 0 : 1;
    for (int32_t i = 0; i < count; i += 3) {
      const uint32_t pixel = static_cast<uint32_t>(line[high] << 8 | line[1 - high]);
      row[i] = Value(Widen(pixel >> 11, 5), 0);
      row[i + 1] = Value(Widen(pixel >> 5 & 63, 6), 1);
      row[i + 2] = Value(Widen(pixel & 31, 5), 2);
      line += 2;
    }
  }
}

}  // namespace rnnpool
