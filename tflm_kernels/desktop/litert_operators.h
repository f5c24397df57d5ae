// The project's operators as kernels of TensorFlow Lite and LiteRT.

#ifndef RNNPOOL_LITERT_OPERATORS_H_
#define RNNPOOL_LITERT_OPERATORS_H_

#include <memory>

#include "litert_kernel.h"

namespace rnnpool {
namespace litert {

struct Operator {
  const char* name;
  std::unique_ptr<Kernel> (*make)(const void* options, size_t size);
};

constexpr int kOperatorCount = 3;
extern const Operator kOperators[kOperatorCount];

// Null when it is none of ours.
const Operator* FindOperator(const char* name);

}  // namespace litert
}  // namespace rnnpool

#endif  // RNNPOOL_LITERT_OPERATORS_H_
