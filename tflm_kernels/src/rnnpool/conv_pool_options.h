// Options of the custom operator "ConvRNNPool", as they stand in a model file.
//
// A FlexBuffer map of integers, but for padding, gates and pool_scale:
//   version                                1, or 2 where a matrix of RNNPool may be packed or there
//                                          may be gates
//   convolutions                           1..4; for each, with i counted from 0:
//     conv{i}_stride_height, _stride_width   from 1
//     conv{i}_pad_top, _pad_left             what lies beyond them follows from the output's size
//     conv{i}_out_height, _out_width
//     conv{i}_zero_point, _min, _max         of its output
//   pool_scale                             a float: the scale of the last convolution's output
//   pool_height, pool_width, stride_height, stride_width, padding
//                                          RNNPool's, as in its own options (options.h)
//   gates                                  likewise, from version 2 on

#ifndef RNNPOOL_CONV_POOL_OPTIONS_H_
#define RNNPOOL_CONV_POOL_OPTIONS_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/conv_pool.h"
#include "rnnpool/option_reader.h"

namespace rnnpool {

static const int32_t kConvPoolVersion = 2;  // the newest
static const char* const kConvPoolName = "ConvRNNPool";

// Reads the options into what they determine of *spec: the number of convolutions, their strides,
// padding, output sizes and ranges; geometry, pool_scale and both cells' gates; and into *version.
// Never touches a byte outside [data, data + size), whatever the bytes are. Returns nullptr, or
// `error` filled with a sentence.
const char* ParseConvPoolOptions(const uint8_t* data, size_t size, ConvPoolSpec* spec,
                                 int32_t* version, char (&error)[kOptionsErrorSize]);

}  // namespace rnnpool

#endif  // RNNPOOL_CONV_POOL_OPTIONS_H_
