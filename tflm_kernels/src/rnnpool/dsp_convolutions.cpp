// 1x1 and depthwise convolutions in assembly, for any Cortex-M with the DSP extension (no FPU
// needed); see dsp_convolutions.h and, for why assembly stands in a .cpp file, dsp_routines.h.
//
// Instructions: a block of 4 inputs, 2 outputs and 2 pixels takes 15 for 16 multiplications, what
// surrounds it 49 per 2 outputs and 2 pixels; 9 taps of 4 channels take 96, what surrounds them 53.

#include "rnnpool/int8_path.h"

#if RNNPOOL_USE_DSP

#include "rnnpool/dsp_convolutions.h"

__asm__(R"(
  .syntax unified
  .thumb

.macro rnnpool_convolution name
  .pushsection .text.\name, "ax", %progbits
  .balign 4
  .global \name
  .type   \name, %function
  .thumb_func
\name:
.endm

.macro rnnpool_convolution_end name
  .size   \name, . - \name
  .popsection
.endm

@ Accumulator \a -> int8; \shift holds e - 1, \zero 2 zero_point + 1.
.macro rnnpool_requantize a, multiplier, shift, zero
  lsl     \a, \a, #1
  smmulr  \a, \a, \multiplier
  add     \a, \a, \a, asr #31
  asr     \a, \a, \shift
  add     \a, \a, \zero
  ssat    \a, #8, \a, asr #1
.endm

@ Four inputs of both outputs: r4 (r5: second pixel) += row at r1, r6 (r7) += row at r1 + r2.
@ Every instruction has 4 bytes: the loop is entered in the middle.
.macro rnnpool_pointwise_block pixels
  .if     \pixels == 2
  ldm     r0!, {r8-r11}
  .else
  ldrd    r8, r9, [r0], #8
  .endif
  ldr     r12, [r1, r2]
  sxtb16  lr, r12, ror #8
  sxtb16  r12, r12
  smlad   r6, r12, r8, r6
  smlad   r6, lr, r9, r6
  .if     \pixels == 2
  smlad   r7, r12, r10, r7
  smlad   r7, lr, r11, r7
  .endif
  ldr     r12, [r1], #4
  sxtb16  lr, r12, ror #8
  sxtb16  r12, r12
  smlad   r4, r12, r8, r4
  smlad   r4, lr, r9, r4
  .if     \pixels == 2
  smlad   r5, r12, r10, r5
  smlad   r5, lr, r11, r5
  .endif
.endm

@ Frame: {where to enter the loop of blocks, where to go on after it}, then a copy of DspPointwise.
.equ rnnpool_pointwise_bias, 8
.equ rnnpool_pointwise_multiplier, 12
.equ rnnpool_pointwise_weights, 20
.equ rnnpool_pointwise_pixels, 28
.equ rnnpool_pointwise_overlap, 36
.equ rnnpool_pointwise_output, 40
.equ rnnpool_pointwise_output_end, 48
.equ rnnpool_pointwise_zero, 52

.macro rnnpool_pointwise name, pixels
rnnpool_convolution \name
  push    {r4-r11, lr}
  ldm     r0, {r1-r12}
  push    {r1-r12}
  @ Blocks modulo 4 decide where the loop begins.
  sub     r7, r7, r6
  lsr     r7, r7, #(2 + \pixels)
  rsb     r7, r7, #0
  and     r7, r7, #3
  mov     r2, #(28 + 16 * \pixels)
  adr     r1, 2f
  mla     r1, r7, r2, r1
  adr     r2, 4f
  cmp     r8, #0
  beq     1f
  adr     r2, 3f
1:
  orr     r1, r1, #1            @ Thumb
  orr     r2, r2, #1
  push    {r1, r2}
  ldrd    r1, r2, [sp, #rnnpool_pointwise_weights]
1:
  ldrd    r0, r3, [sp, #rnnpool_pointwise_pixels]
  ldr     r12, [sp, #rnnpool_pointwise_bias]
  ldrd    r4, r6, [r12], #8
  str     r12, [sp, #rnnpool_pointwise_bias]
  .if     \pixels == 2
  mov     r5, r4
  mov     r7, r6
  .endif
  ldr     pc, [sp]
  .balign 4
2:
  .rept   4
  rnnpool_pointwise_block \pixels
  .endr
  cmp     r0, r3
  bne     2b
  ldr     pc, [sp, #4]
  .balign 4
3:
  ldr     r12, [sp, #rnnpool_pointwise_overlap]
  sub     r1, r1, r12
  rnnpool_pointwise_block \pixels
4:
  add     r1, r1, r2
  ldrd    r8, r9, [sp, #rnnpool_pointwise_multiplier]
  ldrd    r10, r11, [r8], #8
  ldrd    r12, lr, [r9], #8
  strd    r8, r9, [sp, #rnnpool_pointwise_multiplier]
  mvn     r12, r12
  mvn     lr, lr
  ldr     r3, [sp, #rnnpool_pointwise_zero]
  ldrd    r8, r9, [sp, #rnnpool_pointwise_output]
  rnnpool_requantize r4, r10, r12, r3
  rnnpool_requantize r6, r11, lr, r3
  strb    r4, [r8], #1
  strb    r6, [r8], #1
  .if     \pixels == 2
  rnnpool_requantize r5, r10, r12, r3
  rnnpool_requantize r7, r11, lr, r3
  strb    r5, [r9], #1
  strb    r7, [r9], #1
  .endif
  strd    r8, r9, [sp, #rnnpool_pointwise_output]
  ldr     r0, [sp, #rnnpool_pointwise_output_end]
  cmp     r8, r0
  bne     1b
  add     sp, sp, #56
  pop     {r4-r11, pc}
rnnpool_convolution_end \name
.endm

rnnpool_pointwise rnnpool_dsp_pointwise1, 1
rnnpool_pointwise rnnpool_dsp_pointwise2, 2

@ One tap of four channels: r4-r7 += bytes at \tap + r12 times weights \weights.
.macro rnnpool_depthwise_tap tap, weights:vararg
  ldr     r8, [\tap, r12]
  ldr     r10, [\weights]
  sxtb16  r9, r8, ror #8
  sxtb16  r11, r10, ror #8
  sxtb16  r8, r8
  sxtb16  r10, r10
  smlabb  r5, r9, r11, r5
  smlatt  r7, r9, r11, r7
  smlabb  r4, r8, r10, r4
  smlatt  r6, r8, r10, r6
.endm

@ Frame: a copy of DspDepthwise.
.equ rnnpool_depthwise_bias, 0
.equ rnnpool_depthwise_multiplier, 4
.equ rnnpool_depthwise_shift, 8
.equ rnnpool_depthwise_weights, 12
.equ rnnpool_depthwise_channels, 16
.equ rnnpool_depthwise_taps, 20
.equ rnnpool_depthwise_offset, 28
.equ rnnpool_depthwise_output, 32
.equ rnnpool_depthwise_zero, 40

.macro rnnpool_depthwise name, nine
rnnpool_convolution \name
  push    {r4-r11, lr}
  ldm     r0, {r1-r11}
  push    {r1-r11}
  mov     r2, r5
  mov     r12, r8
1:
  ldr     r0, [sp, #rnnpool_depthwise_bias]
  ldr     r1, [sp, #rnnpool_depthwise_weights]
  ldm     r0!, {r4-r7}
  str     r0, [sp, #rnnpool_depthwise_bias]
  .if     \nine
  @ r2: distance between taps; r3: three times that.
  add     r3, r2, r2, lsl #1
  ldr     r0, [sp, #rnnpool_depthwise_taps]
  ldrd    r8, lr, [r0], #8
  rnnpool_depthwise_tap r8, r1
  rnnpool_depthwise_tap lr, r1, r2
  ldrd    r8, lr, [r0], #8
  rnnpool_depthwise_tap r8, r1, r2, lsl #1
  rnnpool_depthwise_tap lr, r1, r3
  add     r1, r1, r2, lsl #2
  ldrd    r8, lr, [r0], #8
  rnnpool_depthwise_tap r8, r1
  rnnpool_depthwise_tap lr, r1, r2
  ldrd    r8, lr, [r0], #8
  rnnpool_depthwise_tap r8, r1, r2, lsl #1
  rnnpool_depthwise_tap lr, r1, r3
  ldr     r8, [r0]
  rnnpool_depthwise_tap r8, r1, r2, lsl #2
  .else
  ldrd    r0, r3, [sp, #rnnpool_depthwise_taps]
2:
  ldr     r8, [r0], #4
  rnnpool_depthwise_tap r8, r1
  add     r1, r1, r2
  cmp     r0, r3
  bne     2b
  .endif
  ldrd    r0, r1, [sp, #rnnpool_depthwise_multiplier]
  ldr     r3, [sp, #rnnpool_depthwise_zero]
  ldm     r0!, {r8-r11}
  str     r0, [sp, #rnnpool_depthwise_multiplier]
  ldrd    r0, lr, [r1], #8
  mvn     r0, r0
  mvn     lr, lr
  rnnpool_requantize r4, r8, r0, r3
  rnnpool_requantize r5, r9, lr, r3
  ldrd    r0, lr, [r1], #8
  str     r1, [sp, #rnnpool_depthwise_shift]
  mvn     r0, r0
  mvn     lr, lr
  rnnpool_requantize r6, r10, r0, r3
  rnnpool_requantize r7, r11, lr, r3
  ldrd    r8, r9, [sp, #rnnpool_depthwise_output]
  ldr     r0, [sp, #rnnpool_depthwise_weights]
  strb    r5, [r8, #1]
  strb    r6, [r8, #2]
  strb    r7, [r8, #3]
  strb    r4, [r8], #4
  str     r8, [sp, #rnnpool_depthwise_output]
  add     r0, r0, #4
  str     r0, [sp, #rnnpool_depthwise_weights]
  add     r12, r12, #4
  cmp     r8, r9
  bne     1b
  add     sp, sp, #44
  pop     {r4-r11, pc}
rnnpool_convolution_end \name
.endm

rnnpool_depthwise rnnpool_dsp_depthwise9, 1
rnnpool_depthwise rnnpool_dsp_depthwise, 0
)");

extern "C" {
rnnpool::DspPointwiseRoutine rnnpool_dsp_pointwise1;
rnnpool::DspPointwiseRoutine rnnpool_dsp_pointwise2;
rnnpool::DspDepthwiseRoutine rnnpool_dsp_depthwise9;
rnnpool::DspDepthwiseRoutine rnnpool_dsp_depthwise;
}

namespace rnnpool {

// Tables, for the reason that dsp_projections.cpp gives at its end.
DspPointwiseRoutine* const kDspPointwise[2] = {rnnpool_dsp_pointwise1, rnnpool_dsp_pointwise2};
DspDepthwiseRoutine* const kDspDepthwise[2] = {rnnpool_dsp_depthwise, rnnpool_dsp_depthwise9};

}  // namespace rnnpool

#endif  // RNNPOOL_USE_DSP
