// One RNNPool node of a model file: what its tensors must be, checked in one place for every
// runtime.
//
//   input   shape              float32   int8
//   0  x    [n, h, w, k]       float32   int8, any scale and zero point
//   1  W1   [h1, k]            float32   int8, symmetric, one scale or one per row
//   2  U1   [h1, h1]           float32   int8, as W1
//   3  bias of gate 1 [h1]     float32   int32, scale 2^-26, zero point 0
//   4  bias of update 1 [h1]   float32   int32, as 3
//   5  W2   [h2, h1]           float32   int8, as W1
//   6  U2   [h2, h2]           float32   int8, as W1
//   7  bias of gate 2 [h2]     float32   int32, as 3
//   8  bias of update 2 [h2]   float32   int32, as 3
//   9  zeta, nu [2, 2]         float32   not allowed          (optional)
//   output  [n, oh, ow, 4 h2]  float32   int8, scale 1/128, zero point 0
//
// From version 2 of the options on, an int8 matrix may be packed: [bytes] of int8_packed.h with one
// scale. Inputs from 1 on must be constants. ConvRNNPool ends with inputs 1 to 8 and has the same output,
// in int8, so that the checks of both stand here for either.

#ifndef RNNPOOL_NODE_H_
#define RNNPOOL_NODE_H_

#include "rnnpool/options.h"
#include "rnnpool/rnnpool_core.h"
#include "rnnpool_node_view.h"

namespace rnnpool {

// Positions of a node's inputs; those of cell c = 0, 1 start at kFirstCellInput + 4 c.
enum { kInputX = 0, kFirstCellInput = 1, kInputsPerCell = 4, kInputZetaNu = 9 };
static const int kCellInputs = 2 * kInputsPerCell;
static const int kRequiredInputs = 9;
static const int kMaxInputs = 10;

struct CheckedNode {
  ElementType type;  // kFloat32 or kInt8
  int32_t version;   // of the options
  Geometry geometry;
  GatesKind gates;
  Grid grid;
  int batch;
  int height;
  int width;
  int channels;
  int hidden1;
  int hidden2;
};

// Checks everything about the node except what depends on the weights' values, and fills
// *checked. Returns false after reporting.
bool CheckNode(const NodeView& node, const Report& report, CheckedNode* checked);

// The part of it about the cells' eight tensors, and that the geometry fits the map; fills grid,
// hidden1 and hidden2 of *checked from the other members.
bool CheckCells(const TensorView* cells, const Report& report, CheckedNode* checked);

// The part of it about the output.
bool CheckPoolOutput(const NodeView& node, const Report& report, const CheckedNode& checked);

// The checked node as the core takes it. The specs point at the node's constants.
Int8Spec MakeInt8Spec(const NodeView& node, const CheckedNode& checked);
FloatSpec MakeFloatSpec(const NodeView& node, const CheckedNode& checked);

// As MakeInt8Spec, of the cells' eight tensors and a map with this scale and zero point.
Int8Spec MakeInt8SpecOf(const TensorView* cells, const CheckedNode& checked, float input_scale,
                        int input_zero_point);

}  // namespace rnnpool

#endif  // RNNPOOL_NODE_H_
