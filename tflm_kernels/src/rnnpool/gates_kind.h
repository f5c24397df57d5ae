// The two kinds of nonlinearities that the cells of a layer may have.

#ifndef RNNPOOL_GATES_KIND_H_
#define RNNPOOL_GATES_KIND_H_

#include <stdint.h>

namespace rnnpool {

enum class GatesKind : uint8_t {
  kSmooth = 0,           // gate: sigmoid(x), candidate: tanh(x)
  kPiecewiseLinear = 1,  // gate: (x + 1) / 2 clipped to 0..1, candidate: x clipped to -1..1
};

}  // namespace rnnpool

#endif  // RNNPOOL_GATES_KIND_H_
