// From a picture to the model's int8 input. Plain C++11, integers only: a PC and a
// microcontroller produce the same bytes.
#ifndef PREPROCESS_H_
#define PREPROCESS_H_

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

struct InputSpec {
  int width;
  int height;
  int channels;                // 1 for kGrey8 pictures, 3 for the others
  const int8_t (*table)[256];  // [channels]: byte of a pixel -> int8 of the model
};

// Cuts the largest centred part of the model's shape out of the picture, resizes it (bilinear,
// pixel centres aligned) and looks every byte up in the table of its channel.
// `input` holds height * width * channels values. No other memory is used.
void Preprocess(const Picture& picture, const InputSpec& spec, int8_t* input);

// FNV-1a: a fingerprint that tells whether two preprocessed inputs are equal.
uint32_t Checksum(const int8_t* bytes, size_t count);

#endif  // PREPROCESS_H_
