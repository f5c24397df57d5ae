// A sampling profiler: a timer interrupt every thousand instructions or so notes where the program
// is. Deterministic under `-icount`.

#ifndef RNNPOOL_CORTEX_M_SAMPLER_H_
#define RNNPOOL_CORTEX_M_SAMPLER_H_

#include <stdint.h>

namespace cortex_m {

// Clears the samples and starts taking them.
void StartSampling();

void StopSampling();

// One line "sample <address> <count>" for each address met; numbers in hex.
void PrintSamples();

// The timer's interrupt handler.
void SamplerInterrupt();

}  // namespace cortex_m

#endif  // RNNPOOL_CORTEX_M_SAMPLER_H_
