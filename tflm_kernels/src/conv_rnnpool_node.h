// One ConvRNNPool node of a model file: one to four int8 convolutions, and RNNPool on what the last
// of them produces (rnnpool/conv_pool.h).
//
//   input            shape                  type
//   0  x             [n, h, w, c]           int8, any scale and zero point
//   for each convolution
//      weights       [m, kh, kw, c]         int8, symmetric; or [kh, kw, c], depthwise, m = c
//      parameters    [3, m]                 int32
//   the last eight   RNNPool's inputs 1 to 8, int8 (rnnpool_node.h)
//   output           [n, oh, ow, 4 h2]      int8, scale 1/128, zero point 0
//
// All inputs but x must be constants. Parameters are the rows bias, multiplier and shift of
// rnnpool/requantize.h; scales of the convolutions' weights are part of them and are not looked at.

#ifndef RNNPOOL_CONV_RNNPOOL_NODE_H_
#define RNNPOOL_CONV_RNNPOOL_NODE_H_

#include "rnnpool/conv_pool.h"
#include "rnnpool/conv_pool_options.h"
#include "rnnpool_node_view.h"

namespace rnnpool {

struct ConvRnnPoolShape {
  int batch;
  int out_height;
  int out_width;
  int out_channels;
};

// Checks everything about the node, weights included, and fills *spec and *plan, for an input that
// is resident in memory. Returns false after reporting. The spec points at the node's constants.
bool CheckConvRnnPool(const NodeView& node, const Report& report, ConvPoolSpec* spec,
                      ConvPoolPlan* plan, ConvRnnPoolShape* output);

}  // namespace rnnpool

#endif  // RNNPOOL_CONV_RNNPOOL_NODE_H_
