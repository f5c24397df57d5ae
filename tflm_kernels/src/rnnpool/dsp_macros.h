// What the assembly of the widened cell is made of; dsp_steps.cpp and dsp_projections.cpp begin
// with it. Compilers that optimise the whole program may put both into one assembly, which defines
// it once.
//
// Four units (a quad) are computed at a time. Registers throughout:
//   r0       stream of weights, read once from end to end per vector or step
//   r1       products, int32: read by steps, written by projections
//   r2, r3   four int16 inputs: one half of a vector of 8, or the next 4
//   r4-r7    accumulators of the quad's units, then -z, then new states
//   r8-r11   weights, then candidates
// Multiplying takes 10 instructions for 16 MACs.

#ifndef RNNPOOL_DSP_MACROS_H_
#define RNNPOOL_DSP_MACROS_H_

__asm__(R"(
  .syntax unified
  .thumb

.ifndef rnnpool_macros
.set rnnpool_macros, 1

@ r4-r7 += four weights of each unit times the four inputs in \x0, \x1.
.macro rnnpool_multiply x0=r2, x1=r3
  ldm     r0!, {r8-r11}
  smlad   r4, r8, \x0, r4
  smlad   r4, r9, \x1, r4
  smlad   r5, r10, \x0, r5
  smlad   r5, r11, \x1, r5
  ldm     r0!, {r8-r11}
  smlad   r6, r8, \x0, r6
  smlad   r6, r9, \x1, r6
  smlad   r7, r10, \x0, r7
  smlad   r7, r11, \x1, r7
.endm

.macro rnnpool_function name
  .pushsection .text.\name, "ax", %progbits
  .balign 4
  .global \name
  .type   \name, %function
  .thumb_func
\name:
.endm

.macro rnnpool_end name
  .size   \name, . - \name
  .popsection
.endm

.endif
)");

#endif  // RNNPOOL_DSP_MACROS_H_
