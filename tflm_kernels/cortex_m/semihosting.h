// Output and exit through the emulator (or a debugger): ARM semihosting.

#ifndef RNNPOOL_CORTEX_M_SEMIHOSTING_H_
#define RNNPOOL_CORTEX_M_SEMIHOSTING_H_

#include <stdint.h>

namespace cortex_m {

void Print(const char* text);
void PrintNumber(int64_t number);
void PrintHex(uint32_t number);

// Ends the emulator with this exit status.
__attribute__((noreturn)) void Exit(int status);

}  // namespace cortex_m

#endif  // RNNPOOL_CORTEX_M_SEMIHOSTING_H_
