// One InvertedResidual node of a model file: a 1x1 expansion, a depthwise convolution and a 1x1
// projection, with or without the input added to it (rnnpool/inverted_residual.h).
//
//   input                      shape             type
//   0  x                       [n, h, w, k]      int8, any scale and zero point
//   1  expansion weights       [e, k]            int8, symmetric        (1 and 2 may be left out:
//   2  expansion parameters    [3, e]            int32                   x is filtered, e = k)
//   3  depthwise weights       [kh, kw, e]       int8, symmetric
//   4  depthwise parameters    [3, e]            int32
//   5  projection weights      [m, e]            int8, symmetric
//   6  projection parameters   [3, m]            int32
//   output                     [n, oh, ow, m]    int8, any scale and zero point
//
// Inputs 1 to 6 must be constants. Parameters are the rows bias, multiplier and shift of
// rnnpool/requantize.h; scales of weights are part of them and are not looked at.

#ifndef RNNPOOL_INVERTED_RESIDUAL_NODE_H_
#define RNNPOOL_INVERTED_RESIDUAL_NODE_H_

#include "rnnpool/inverted_residual.h"
#include "rnnpool/inverted_residual_options.h"
#include "rnnpool_node_view.h"

namespace rnnpool {

enum {
  kBlockInput = 0,
  kExpandWeights = 1,
  kExpandParameters = 2,
  kFilterWeights = 3,
  kFilterParameters = 4,
  kProjectWeights = 5,
  kProjectParameters = 6,
  kBlockInputs = 7
};

// All that a runtime has to remember of a node beside its tensors: small, for microcontrollers.
struct InvertedResidualSettings {
  InvertedResidualOptions options;
  int8_t input_zero_point;
  int8_t output_zero_point;
};

// A tensor while the operator runs; data is null for an input left out.
struct Operand {
  const int* dims;
  const void* data;
};

// Checks everything about the node, weights included, and fills *settings and *layer. Returns false
// after reporting. The layer points at the node's constants.
bool CheckInvertedResidual(const NodeView& node, const Report& report,
                           InvertedResidualSettings* settings, InvertedResidual* layer);

// Makes the layer of a checked node anew, from its operands: inputs [kBlockInputs], output.
void MakeInvertedResidual(const InvertedResidualSettings& settings, const Operand* inputs,
                          const int* output_dims, InvertedResidual* layer);

}  // namespace rnnpool

#endif  // RNNPOOL_INVERTED_RESIDUAL_NODE_H_
