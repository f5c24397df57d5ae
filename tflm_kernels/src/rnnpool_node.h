// One RNNPool node of a model file: what its tensors must be, checked in one place for every
// runtime. Adapters translate their own tensor structs into TensorView and get back either a
// sentence about what is wrong or everything the kernels need.
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
// Inputs from 1 on must be constants.

#ifndef RNNPOOL_NODE_H_
#define RNNPOOL_NODE_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/options.h"
#include "rnnpool/rnnpool_core.h"

namespace rnnpool {

enum class ElementType : uint8_t { kOther, kFloat32, kInt8, kInt32 };

struct TensorView {
  bool present;  // false for an optional input left out
  ElementType type;
  bool constant;  // part of the model file
  int rank;
  const int* dims;
  const void* data;  // of constants
  int scale_count;   // 0 without quantisation
  const float* scales;
  int zero_point_count;
  const int* zero_points;
  int quantized_dimension;
};

// Positions of a node's inputs; those of cell c = 0, 1 start at kFirstCellInput + 4 c.
enum { kInputX = 0, kFirstCellInput = 1, kInputsPerCell = 4, kInputZetaNu = 9 };
static const int kRequiredInputs = 9;
static const int kMaxInputs = 10;

struct NodeView {
  int input_count;
  TensorView inputs[kMaxInputs];
  int output_count;
  TensorView output;
  bool output_has_shape;  // false where the adapter will give the output its shape
  const uint8_t* options;
  size_t options_size;
};

// Where sentences go. Formats contain at most one %s, which comes first, and two %d; sinks pass
// all three arguments on to a printf-like function.
struct Report {
  void (*sink)(void* context, const char* format, const char* text, int a, int b);
  void* context;

  bool Fail(const char* format, const char* text = "", int a = 0, int b = 0) const {
    sink(context, format, text, a, b);
    return false;
  }
};

struct CheckedNode {
  ElementType type;  // kFloat32 or kInt8
  Geometry geometry;
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

// The checked node as the core takes it. The specs point at the node's constants.
Int8Spec MakeInt8Spec(const NodeView& node, const CheckedNode& checked);
FloatSpec MakeFloatSpec(const NodeView& node, const CheckedNode& checked);

}  // namespace rnnpool

#endif  // RNNPOOL_NODE_H_
