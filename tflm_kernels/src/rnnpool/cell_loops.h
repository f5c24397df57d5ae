// How a cell walks through sequences, and how a row of cells advances by one step. Written once
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

// How the sequences of a batch lie among the products; distances in elements.
struct SequenceBatch {
  ptrdiff_t stride;  // from one step to the next
  int32_t steps;
  ptrdiff_t pitch;  // from one sequence to the next
  int32_t count;    // of sequences
  bool fresh;       // begin with h = 0, else with the states that are there
};

// Walks through a batch of sequences, whose last states end up in [count][StatePitch].
template <class Stepper, typename Product, typename State>
inline void WalkSequences(const Stepper& stepper, const Product* products,
                          const SequenceBatch& batch, State* states, Product* workspace) {
  const int32_t pitch = StatePitch(stepper.units());
  for (int32_t n = 0; n < batch.count; ++n) {
    const Product* product = products + n * batch.pitch;
    int32_t done = 0;
    if (batch.fresh && batch.steps > 0) {
      stepper.Start(product, states);
      done = 1;
    }
    for (; done < batch.steps; ++done) {
      stepper.Step(product + done * batch.stride, states, workspace);
    }
    states += pitch;
  }
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
