// Options of the custom operator "RNNPool", as they stand in a model file.
//
// A FlexBuffer map with the keys pool_height, pool_width, stride_height, stride_width (integers
// from 1), padding ("valid", "same" or "replicate") and version (1). Keys that are not known are
// ignored; a version that is not known is refused.

#ifndef RNNPOOL_OPTIONS_H_
#define RNNPOOL_OPTIONS_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/geometry.h"

namespace rnnpool {

static const int32_t kOptionsVersion = 1;

struct RnnPoolOptions {
  Geometry geometry;
  int32_t version;
};

// Room for any sentence of ParseOptions.
static const size_t kOptionsErrorSize = 128;

// Reads the options; never touches a byte outside [data, data + size), whatever the bytes are.
// Returns nullptr, or `error` filled with a sentence.
const char* ParseOptions(const uint8_t* data, size_t size, RnnPoolOptions* options,
                         char (&error)[kOptionsErrorSize]);

}  // namespace rnnpool

#endif  // RNNPOOL_OPTIONS_H_
