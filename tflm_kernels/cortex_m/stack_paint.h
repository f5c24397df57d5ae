// Measures how deep a call goes: paints the free stack, and finds what lost its colour.

#ifndef RNNPOOL_CORTEX_M_STACK_PAINT_H_
#define RNNPOOL_CORTEX_M_STACK_PAINT_H_

#include <stdint.h>

namespace cortex_m {

// Paints the stack below the caller's frame. Call it, then what is to be measured, then StackUsed,
// all from one function.
void PaintStack();

// Bytes of stack that calls made since PaintStack have used below the caller's frame. Words that
// happen to keep the colour at the deepest place are missed.
uint32_t StackUsed();

}  // namespace cortex_m

#endif  // RNNPOOL_CORTEX_M_STACK_PAINT_H_
