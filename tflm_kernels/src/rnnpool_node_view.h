// What every custom operator's adapter sees of a node in a model file, without a runtime's types.
// Adapters translate their own tensor structs into TensorView; the checks of each operator give
// back either a sentence about what is wrong or everything the kernels need.

#ifndef RNNPOOL_NODE_VIEW_H_
#define RNNPOOL_NODE_VIEW_H_

#include <stddef.h>
#include <stdint.h>

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

// As many as the largest of the operators has: an image, four convolutions, an RNNPool.
static const int kMaxNodeInputs = 17;

struct NodeView {
  int input_count;  // may exceed kMaxNodeInputs; views beyond are not there
  TensorView inputs[kMaxNodeInputs];
  int output_count;
  TensorView output;
  bool output_has_shape;  // false where the adapter will give the output its shape
  const uint8_t* options;
  size_t options_size;
};

// Where sentences about one operator's nodes go. Sinks pass all arguments but the first on to a
// printf-like function: a format with two %s, then up to three %d.
struct Report {
  void (*sink)(void* context, const char* format, const char* first, const char* second, int a,
               int b, int c);
  void* context;
  const char* operator_name;

  // The first %s is the operator's name.
  bool Fail(const char* format, const char* text = "", int a = 0, int b = 0, int c = 0) const {
    sink(context, format, operator_name, text, a, b, c);
    return false;
  }

  // A sentence that already names the operator.
  bool Say(const char* sentence) const {
    sink(context, "%s%s", sentence, "", 0, 0, 0);
    return false;
  }

  // "RNNPool: the scale is …", for sentences of the core.
  bool Refuse(const char* problem) const { return Fail("%s: %s", problem); }

  // Ends a sentence of Fail that had no place for a second text.
  bool Received(const char* text) const {
    sink(context, "%s%s", "Received: ", text, 0, 0, 0);
    return false;
  }
};

}  // namespace rnnpool

#endif  // RNNPOOL_NODE_VIEW_H_
