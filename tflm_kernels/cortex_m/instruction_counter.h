// Counts executed instructions on QEMU's mps2-an386, started with `-icount shift=6`.
//
// With that option one instruction takes 2^6 ns of virtual time, and a 25 MHz timer counts 1.6
// ticks meanwhile. 32 bits of ticks last for 2.68e9 instructions. On hardware the same code would
// count time, not instructions: the emulator knows neither pipeline nor wait states.

#ifndef RNNPOOL_CORTEX_M_INSTRUCTION_COUNTER_H_
#define RNNPOOL_CORTEX_M_INSTRUCTION_COUNTER_H_

#include <stdint.h>

namespace cortex_m {

class InstructionCounter {
 public:
  InstructionCounter();  // starts the timer and measures what an empty interval costs

  void Start();

  // Instructions since Start, the calls of Start and Stop themselves excluded.
  uint32_t Stop();

 private:
  uint32_t begin_;
  uint32_t overhead_;
};

}  // namespace cortex_m

#endif  // RNNPOOL_CORTEX_M_INSTRUCTION_COUNTER_H_
