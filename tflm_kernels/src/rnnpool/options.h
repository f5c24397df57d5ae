// Options of the custom operator "RNNPool", as they stand in a model file.
//
// A FlexBuffer map with the keys pool_height, pool_width, stride_height, stride_width (integers
// from 1), padding ("valid", "same" or "replicate") and version (1 or 2). From version 2 on there
// may be the key gates, "smooth" or "piecewise_linear" (where it is missing, gates are smooth), and
// matrices of the node may be packed (int8_packed.h).

#ifndef RNNPOOL_OPTIONS_H_
#define RNNPOOL_OPTIONS_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/gates_kind.h"
#include "rnnpool/geometry.h"
#include "rnnpool/option_reader.h"

namespace rnnpool {

static const int32_t kOptionsVersion = 2;  // the newest
static const int32_t kPackedVersion = 2;   // the first with packed matrices
static const char* const kRnnPoolName = "RNNPool";

struct RnnPoolOptions {
  Geometry geometry;
  GatesKind gates;
  int32_t version;
};

// Reads the options; never touches a byte outside [data, data + size), whatever the bytes are.
// Returns nullptr, or `error` filled with a sentence.
const char* ParseOptions(const uint8_t* data, size_t size, RnnPoolOptions* options,
                         char (&error)[kOptionsErrorSize]);

// The five keys of the geometry, which ConvRNNPool's options have too.
void ReadGeometry(OptionReader* reader, Geometry* geometry);

// The key gates, likewise; `version` is that of the options.
void ReadGates(OptionReader* reader, int32_t version, GatesKind* gates);

}  // namespace rnnpool

#endif  // RNNPOOL_OPTIONS_H_
