// Runs a piece of the operator under the instruction counter on a painted stack, or under the
// sampler.

#ifndef RNNPOOL_CORTEX_M_MEASURE_H_
#define RNNPOOL_CORTEX_M_MEASURE_H_

#include <stdint.h>

#include "cases.h"
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

// Calls work() under the sampler and prints the samples, in images that ask for it.
template <class Work>
inline void Sample(const Work& work) {
  if (!kSample) return;
  StartSampling();
  work();
  StopSampling();
  PrintSamples();
}

}  // namespace cortex_m

#endif  // RNNPOOL_CORTEX_M_MEASURE_H_
