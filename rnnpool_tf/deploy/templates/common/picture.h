// Pictures, and resizing them line by line. Plain C++11, integers only: a PC and a microcontroller
// produce the same bytes.
#ifndef PICTURE_H_
#define PICTURE_H_

#include <stddef.h>
#include <stdint.h>

enum PixelFormat {
  kGrey8,   // one byte a pixel
  kRgb888,  // red, green, blue
  kRgb565,  // two bytes a pixel, high byte first, as OV767x cameras send them
};

struct Picture {
  const uint8_t* pixels;  // row by row, no gaps
  int width;
  int height;
  PixelFormat format;
};

// Line `y` of the largest centred part of the picture that has the shape width x height, resized
// to that size (bilinear, pixel centres aligned). `channels` is 1 for kGrey8 pictures and 3 for
// the others. `line` holds width * channels bytes. No other memory is used.
void ResizeLine(const Picture& picture, int width, int height, int channels, int y, uint8_t* line);

// FNV-1a: a fingerprint that tells whether two blocks of bytes are equal.
uint32_t Checksum(const int8_t* bytes, size_t count);

#endif  // PICTURE_H_
