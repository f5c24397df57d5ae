// The front of a network as one array of bytes, which a converter writes and a program has in its
// flash memory.
//
// All numbers are little-endian int32 unless said otherwise. Positions are in bytes from the
// image's start and multiples of 4. The descriptors stand one after the other from byte 0 on:
//
//   header       "RPF1", version (1 or 2), bytes of the image, height, width, channels and zero
//                point of its input, position of the pixel table or 0, number of convolutions,
//                number of blocks
//   convolution  for each: depthwise (0 or 1), kernel height and width, strides (vertical,
//                horizontal), padding (top, left), output height, width and channels, RANGE,
//                STAGE
//   RNNPool      pool height and width, strides (vertical, horizontal), padding (0 valid, 1 same,
//                2 replicate), from version 2 on kind of gates (0 smooth, 1 piecewise linear; in
//                version 1 they are smooth), scale of its input (float32), for each cell: units,
//                MATRIX of W and of U, position of the gate's bias, of the candidate's bias
//   block        for each: expanded (0 or 1), depthwise channels, output channels, kernel height
//                and width, strides, padding (top, left), output height and width, RANGE of
//                expansion, filter and projection, STAGE of expansion, filter and projection;
//                the expansion's are 0 where there is none
//   RANGE        zero point, smallest and largest value of a stage's output
//   STAGE        position of the weights, position of the parameters
//   MATRIX       from version 2 on: bytes of the values if they are packed, or 0 (int8_packed.h);
//                position of the values, number of scales, position of the scales
//
// Arrays: weights int8 in the layouts of convolution.h, pointwise.h and depthwise.h; parameters
// int32 [3][channels] = bias with the input's zero point folded in, multiplier, shift
// (requantize.h); W [units][inputs] and U [units][units] int8, their scales float32 [1 or units],
// biases int32 [units] in Q26; pixel table int8 [channels][256]: byte of a pixel -> input value.
// Without a pixel table the input value is the pixel's byte - 128.

#ifndef RNNPOOL_FRONT_IMAGE_H_
#define RNNPOOL_FRONT_IMAGE_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/front.h"

namespace rnnpool {

const int32_t kFrontImageVersion = 2;  // the newest

struct FrontImage {
  FrontSpec front;
  const int8_t* pixel_table;  // nullptr: none
};

// Reads `size` bytes at `data`, which must be aligned to 4 and outlive everything made from them.
// Returns nullptr, or a sentence saying why they cannot be understood. Safe for any bytes; whether
// the front can run is for PlanFront to say.
const char* ParseFront(const void* data, size_t size, FrontImage* image);

}  // namespace rnnpool

#endif  // RNNPOOL_FRONT_IMAGE_H_
