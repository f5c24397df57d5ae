// Checks of single tensors that all operators share. Each returns true, or false after reporting;
// `name` says in the report which of the operator's tensors it is.

#ifndef RNNPOOL_NODE_CHECKS_H_
#define RNNPOOL_NODE_CHECKS_H_

#include "rnnpool_node_view.h"

namespace rnnpool {

// Element counts stay up to this, so that int32 arithmetic on indices cannot overflow.
static const int64_t kMaxElements = INT32_MAX;

const char* TypeName(ElementType type);

bool CheckType(const TensorView& tensor, const char* name, ElementType type, const Report& report);

bool CheckShape(const TensorView& tensor, const char* name, int rank, const int* expected,
                const Report& report);

// Rank, sizes of at least 1, and no more than kMaxElements of them.
bool CheckExtent(const TensorView& tensor, const char* name, int rank, const Report& report);

// A constant, aligned to its element type.
bool CheckConstant(const TensorView& tensor, const char* name, const Report& report);

// A constant of this type and shape.
bool CheckConstantOf(const TensorView& tensor, const char* name, ElementType type, int rank,
                     const int* shape, const Report& report);

// Every zero point is 0.
bool CheckSymmetric(const TensorView& tensor, const char* name, const Report& report);

// An int8 activation: one scale, and one zero point in -128..127.
bool CheckActivation(const TensorView& tensor, const char* name, const Report& report);

// An int8 activation [n, h, w, channels].
bool CheckInt8Map(const TensorView& tensor, const char* name, const Report& report);

// Every window of `kernel` that lies inside the map, padded by `pad` at its start, has its place in
// the output: so much is sure of any convolution, and an input of another size than the model was
// made for is found out. `out_size` is the size of `name` in dimension `axis`.
bool CheckWindows(const char* name, int axis, int size, int kernel, int stride, int pad,
                  int out_size, const Report& report);

// Exactly one scale, of exactly this value, and zero point 0; `sentence` has the operator's and
// the tensor's names to fill in.
bool CheckFixedQuantization(const TensorView& tensor, const char* name, float scale,
                            const char* sentence, const Report& report);

}  // namespace rnnpool

#endif  // RNNPOOL_NODE_CHECKS_H_
