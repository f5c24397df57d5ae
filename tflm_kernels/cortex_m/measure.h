// Runs a piece of the operator under the instruction counter on a painted stack, or under the
// sampler.

#ifndef RNNPOOL_CORTEX_M_MEASURE_H_
#define RNNPOOL_CORTEX_M_MEASURE_H_

#include <stdint.h>

#include "instruction_counter.h"
#include "sampler.h"
#include "stack_paint.h"

namespace cortex_m {

// Calls work() once. *stack receives the bytes of stack below the frame of this function.
template <class Work>
__attribute__((noinline)) void Measure(const Work& work, uint32_t* instructions, uint32_t* stack) {
  InstructionCounter counter;
  PaintStack();
  counter.Start();
  work();
  *instructions = counter.Stop();
  *stack = StackUsed();
}

// Set by the build (-DRNNPOOL_SAMPLE): run the work again under the sampler.
template <class Work>
inline void Sample(const Work& work) {
#ifdef RNNPOOL_SAMPLE
  StartSampling();
  work();
  StopSampling();
  PrintSamples();
#else
  (void)work;
#endif
}

}  // namespace cortex_m

#endif  // RNNPOOL_CORTEX_M_MEASURE_H_
