// The front of a network fed with lines of a picture as a camera delivers them, without TensorFlow
// Lite Micro and without the picture in memory. What it computes is the input of the rest of the
// network.
//
//   alignas(4) static uint8_t workspace[...];    // LineStream::workspace_bytes(); or memory that
//   static rnnpool::LineStream stream;           // the rest of the network does not use meanwhile
//   const char* error = stream.Open(kFront, sizeof(kFront));
//   ...
//   stream.Begin(interpreter.input(0)->data.int8, interpreter.input(0)->bytes,
//                workspace, sizeof(workspace));
//   for (int y = 0; y < stream.height(); ++y) {
//     ... receive line y ...
//     status = stream.Feed(y, line, stream.line_bytes(format), format);
//   }
//   interpreter.Invoke();                        // if stream.finished()
//
// Whatever is fed, nothing beyond the memory given to Begin is written, nor anything beyond the
// line read. A line that is refused changes nothing: the one that was due may still be fed.

#ifndef RNNPOOL_LINE_STREAM_H_
#define RNNPOOL_LINE_STREAM_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/front.h"

namespace rnnpool {

// How the pixels of a line stand in memory, from left to right without gaps.
enum class PixelFormat : uint8_t {
  kInt8 = 0,                // the network's input values, [width][channels]
  kGrey8 = 1,               // one byte; for networks with 1 channel
  kRgb888 = 2,              // red, green, blue; for networks with 3 channels, as what follows
  kRgb565 = 3,              // two bytes, high byte first, as OV76xx cameras send them
  kRgb565LittleEndian = 4,  // two bytes, low byte first
};

enum class LineStatus : uint8_t {
  kOk = 0,
  kNotOpen = 1,            // no front was opened
  kNotBegun = 2,           // no picture was begun
  kOutOfOrder = 3,         // not the line that is due; that may still be fed
  kWrongLength = 4,        // the line is shorter or longer than a line of this format, or missing
  kSurplus = 5,            // the picture is complete
  kWrongFormat = 6,        // the network's channels do not go with the format
  kMapTooSmall = 7,        // Begin needs map_bytes()
  kWorkspaceTooSmall = 8,  // Begin needs workspace_bytes()
  kMisaligned = 9,         // the workspace must be aligned to 4 bytes
};

// What a status means, as a sentence.
const char* Describe(LineStatus status);

class LineStream {
 public:
  LineStream();
  LineStream(const LineStream&) = delete;
  LineStream& operator=(const LineStream&) = delete;

  // Takes a front image (front_image.h), which must outlive the stream and be aligned to 4 bytes.
  // Returns nullptr, or a sentence saying why it cannot be used; any bytes are safe.
  const char* Open(const void* image, size_t size);

  // Of the picture; 0 when nothing is open.
  int32_t height() const { return height_; }
  int32_t width() const { return width_; }
  int32_t channels() const { return channels_; }

  // Bytes of a line; 0 when the format does not go with the network.
  size_t line_bytes(PixelFormat format) const;

  // The output: int8 [map_height][map_width][map_channels].
  int32_t map_height() const { return front_.map_height; }
  int32_t map_width() const { return front_.map_width; }
  int32_t map_channels() const { return front_.map_channels; }
  size_t map_bytes() const;

  size_t workspace_bytes() const { return front_.workspace_bytes; }

  // Starts a picture, whatever became of the one before. Both areas belong to the stream until the
  // picture is complete, and must not overlap; what was in them does not matter. Afterwards the
  // workspace is free, and the map is the caller's.
  LineStatus Begin(int8_t* map, size_t map_bytes, void* workspace, size_t workspace_bytes);

  // Takes line y; lines come from 0 to height() - 1. Only during the call is `line`, at any
  // address, read.
  LineStatus Feed(int32_t y, const void* line, size_t bytes, PixelFormat format);

  // The line that is due; height() when the picture is complete.
  int32_t next_line() const { return next_line_; }

  // Whether the map is complete.
  bool finished() const { return begun_ && next_line_ == height_; }

 private:
  void Convert(const uint8_t* line, PixelFormat format, int8_t* row) const;
  int8_t Value(uint8_t pixel, int32_t channel) const;

  const void* image_;
  size_t image_size_;
  const int8_t* pixel_table_;
  int32_t height_;
  int32_t width_;
  int32_t channels_;
  int32_t next_line_;
  bool begun_;
  Front front_;
  FrontSweep sweep_;
};

}  // namespace rnnpool

#endif  // RNNPOOL_LINE_STREAM_H_
