// All RAM that is neither static data nor stack, handed out from the bottom.

#ifndef RNNPOOL_CORTEX_M_ARENA_H_
#define RNNPOOL_CORTEX_M_ARENA_H_

#include <stddef.h>

namespace cortex_m {

// Aligned to 16 bytes; ends the program with a message when RAM is exhausted.
void* Allocate(size_t bytes);

// Takes everything back.
void ResetArena();

}  // namespace cortex_m

#endif  // RNNPOOL_CORTEX_M_ARENA_H_
