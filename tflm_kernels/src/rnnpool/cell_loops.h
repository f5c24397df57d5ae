// How a cell walks through a sequence, and how a row of cells advances by one step. Written once
// for all arithmetics; an optimised cell may bring its own.
//
// A Stepper provides
//   int32_t units() const
//   void Start(const Product* product, State* state) const              from h = 0: no U h
//   void Step(const Product* product, State* state, Product* workspace) const
// where product is W v (+ bias, where the cell adds it there) for one input vector v. A step
// computes the gates' arguments of all units into the workspace, [units], and only then overwrites
// the state that they were computed from.

#ifndef RNNPOOL_CELL_LOOPS_H_
#define RNNPOOL_CELL_LOOPS_H_

#include <stddef.h>
#include <stdint.h>

namespace rnnpool {

// Vectors of states take whole quads of elements, so that optimised cells need no remainders.
inline int32_t StatePitch(int32_t units) { return (units + 3) & ~3; }

// Consumes `steps` products that lie `stride` elements apart. Begins with h = 0 when `fresh`, else
// with the state found in `state`; leaves the final state there.
template <class Stepper, typename Product, typename State>
inline void WalkSequence(const Stepper& stepper, const Product* products, ptrdiff_t stride,
                         int32_t steps, bool fresh, State* state, Product* workspace) {
  int32_t done = 0;
  if (fresh && steps > 0) {
    stepper.Start(products, state);
    done = 1;
  }
  for (; done < steps; ++done) stepper.Step(products + done * stride, state, workspace);
}

// One step of `count` cells side by side: products [count][units], states [count][StatePitch].
template <class Stepper, typename Product, typename State>
inline void AdvanceCells(const Stepper& stepper, const Product* products, int32_t count, bool fresh,
                         State* states, Product* workspace) {
  const int32_t units = stepper.units();
  const int32_t pitch = StatePitch(units);
  for (int32_t i = 0; i < count; ++i) {
    if (fresh) {
      stepper.Start(products, states);
    } else {
      stepper.Step(products, states, workspace);
    }
    products += units;
    states += pitch;
  }
}

}  // namespace rnnpool

#endif  // RNNPOOL_CELL_LOOPS_H_
