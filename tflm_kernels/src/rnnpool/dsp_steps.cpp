// Steps of the widened int8 cell in assembly, for any Cortex-M with the DSP extension (no FPU
// needed). dsp_routines.h describes the functions, int8_widened_layout.h the streams of weights that
// they read, dsp_macros.h the registers.
//
// `linear` is 1 in routines for piecewise linear gates. With smooth ones r12 and lr hold the tables
// of sigmoid and tanh, addressed from their middle; with the others walks keep their stride and end
// there. Counts per quad beyond the multiplications: gates 20, linear 16; update 10. A step takes
// 114 instructions at h = 8 and 316 at h = 16, linear 105 and 299; a cell that advances in place 119
// and 318, linear 111 and 302; a first step 68 and 136, linear 60 and 120.

#include "rnnpool/int8_path.h"

#if RNNPOOL_USE_DSP

#include "rnnpool/dsp_macros.h"
#include "rnnpool/dsp_routines.h"

__asm__(R"(
@ Gate arguments r4-r7 and bias differences r8-r11 become -z (Q17) and candidates (Q15).
.macro rnnpool_gates linear, sigmoid=r12, tanh=lr
  add     r8, r8, r4
  add     r9, r9, r5
  add     r10, r10, r6
  add     r11, r11, r7
  .if     \linear
  usat    r4, #17, r4, asr #10
  usat    r5, #17, r5, asr #10
  usat    r6, #17, r6, asr #10
  usat    r7, #17, r7, asr #10
  rsb     r4, r4, #0
  rsb     r5, r5, #0
  rsb     r6, r6, #0
  rsb     r7, r7, #0
  ssat    r8, #16, r8, asr #11
  ssat    r9, #16, r9, asr #11
  ssat    r10, #16, r10, asr #11
  ssat    r11, #16, r11, asr #11
  .else
  ssat    r4, #11, r4, asr #19
  ssat    r5, #11, r5, asr #19
  ssat    r6, #11, r6, asr #19
  ssat    r7, #11, r7, asr #19
  ssat    r8, #12, r8, asr #17
  ssat    r9, #12, r9, asr #17
  ssat    r10, #12, r10, asr #17
  ssat    r11, #12, r11, asr #17
  ldr     r4, [\sigmoid, r4, lsl #2]
  ldr     r5, [\sigmoid, r5, lsl #2]
  ldr     r6, [\sigmoid, r6, lsl #2]
  ldr     r7, [\sigmoid, r7, lsl #2]
  ldrsh   r8, [\tanh, r8, lsl #1]
  ldrsh   r9, [\tanh, r9, lsl #1]
  ldrsh   r10, [\tanh, r10, lsl #1]
  ldrsh   r11, [\tanh, r11, lsl #1]
  .endif
.endm

@ Old states in r2, r3 -> new states in \new0, \new1. Only the low halves of the sums count, so that
@ the packed candidates can stand for the first of them.
.macro rnnpool_update new0=r4, new1=r5
  pkhbt   r8, r8, r9, lsl #16
  shsub16 r2, r8, r2
  smlawb  r4, r4, r2, r8
  smlawt  r5, r5, r2, r9
  pkhbt   \new0, r4, r5, lsl #16
  pkhbt   r10, r10, r11, lsl #16
  shsub16 r3, r10, r3
  smlawb  r6, r6, r3, r10
  smlawt  r7, r7, r3, r11
  pkhbt   \new1, r6, r7, lsl #16
.endm

@ The same from the states 0 to r4, r5; clobbers r3.
.macro rnnpool_update_zero
  asr     r3, r8, #1
  smlawb  r4, r4, r3, r8
  asr     r3, r9, #1
  smlawb  r5, r5, r3, r9
  pkhbt   r4, r4, r5, lsl #16
  asr     r3, r10, #1
  smlawb  r6, r6, r3, r10
  asr     r3, r11, #1
  smlawb  r7, r7, r3, r11
  pkhbt   r5, r6, r7, lsl #16
.endm

@ First step of quad \q of \quads: no recurrent product. r0 stays at the start of the stream.
.macro rnnpool_start_quad q, quads, linear
  ldm     r1!, {r4-r7}
  ldrd    r8, r9, [r0, #(32 * \quads + \q * (32 * \quads + 16))]
  ldrd    r10, r11, [r0, #(32 * \quads + \q * (32 * \quads + 16) + 8)]
  rnnpool_gates \linear
  rnnpool_update_zero
.endm

@ One quad from the states on the stack. Its own states come last, so that the update finds them in
@ r2, r3; the first to come may be there already.
.macro rnnpool_step_quad q, quads, linear, loaded=0, new0=r4, new1=r5
  ldm     r1!, {r4-r7}
  .set    rnnpool_block, 1
  .rept   \quads
  .if     rnnpool_block > \loaded
  ldrd    r2, r3, [sp, #(8 * ((\q + rnnpool_block) % \quads))]
  .endif
  rnnpool_multiply
  .set    rnnpool_block, rnnpool_block + 1
  .endr
  ldm     r0!, {r8-r11}
  rnnpool_gates \linear
  rnnpool_update \new0, \new1
.endm

@ Two quads. The first one's new states replace the old ones on the stack as soon as those have been
@ read for the last time; the second one's stay in \new0, \new1.
.macro rnnpool_step_2 linear, loaded=0, new0=r4, new1=r5
  rnnpool_step_quad 0, 2, \linear, \loaded
  ldrd    r2, r3, [sp]
  strd    r4, r5, [sp]
  rnnpool_step_quad 1, 2, \linear, 1, \new0, \new1
  sub     r0, r0, #160
.endm

@ Four quads. New states go behind the old ones; the last one's stay in r4, r5.
.macro rnnpool_step_4 linear
  rnnpool_step_quad 0, 4, \linear
  strd    r4, r5, [sp, #32]
  rnnpool_step_quad 1, 4, \linear
  strd    r4, r5, [sp, #40]
  rnnpool_step_quad 2, 4, \linear
  strd    r4, r5, [sp, #48]
  rnnpool_step_quad 3, 4, \linear
  sub     r0, r0, #576
.endm

@ Frame: states [quads * 8 bytes], new states, then from DspWalk {stride, end, pitch, rewind,
@ states_end, fresh}, then r2: where the states belong.
.macro rnnpool_walk name, quads, linear
rnnpool_function \name
  push    {r2, r4-r11, lr}
  sub     sp, #(16 * \quads + 24)
  ldrd    r12, lr, [r3], #8
  ldm     r3, {r4-r9}
  add     r3, sp, #(16 * \quads)
  stm     r3, {r4-r9}
  .if     \linear
  mov     r12, r4
  mov     lr, r5
  .endif
1:
  cmp     r9, #0
  beq     2f
  .set    rnnpool_quad, 0
  .rept   \quads
  rnnpool_start_quad rnnpool_quad, \quads, \linear
  strd    r4, r5, [sp, #(8 * rnnpool_quad)]
  .set    rnnpool_quad, rnnpool_quad + 1
  .endr
  .if     \quads == 2
  ldrd    r2, r3, [sp, #8]
  .endif
  b       4f
2:
  .if     \quads == 2
  ldm     r2, {r4-r7}
  stm     sp, {r4-r7}
  ldrd    r2, r3, [sp, #8]
  .else
  ldm     r2, {r4-r11}
  stm     sp, {r4-r11}
  .endif
3:
  .if     \quads == 2
  rnnpool_step_2 \linear, 1, r2, r3
  strd    r2, r3, [sp, #8]
  .else
  rnnpool_step_4 \linear
  strd    r4, r5, [sp, #24]
  add     r2, sp, #32
  ldm     r2, {r6-r11}
  stm     sp, {r6-r11}
  .endif
4:
  .if     \linear
  add     r1, r1, r12
  cmp     r1, lr
  .else
  ldrd    r4, r5, [sp, #(16 * \quads)]
  add     r1, r1, r4
  cmp     r1, r5
  .endif
  bne     3b
  ldr     r2, [sp, #(16 * \quads + 24)]
  .if     \quads == 2
  ldm     sp, {r6-r9}
  stm     r2!, {r6-r9}
  .else
  ldm     sp, {r4-r11}
  stm     r2!, {r4-r11}
  .ifeq   \linear
  ldr     r5, [sp, #(16 * \quads + 4)]
  .endif
  .endif
  str     r2, [sp, #(16 * \quads + 24)]
  add     r4, sp, #(16 * \quads + 8)
  ldm     r4, {r6-r9}
  .if     \linear
  add     lr, lr, r6
  .else
  add     r5, r5, r6
  str     r5, [sp, #(16 * \quads + 4)]
  .endif
  add     r1, r1, r7
  cmp     r2, r8
  bne     1b
  add     sp, #(16 * \quads + 28)
  pop     {r4-r11, pc}
rnnpool_end \name
.endm

@ Frame: states, new states, {next cell's states, end of all}.
.macro rnnpool_advance name, quads, linear
rnnpool_function \name
  push    {r3-r11, lr}
  sub     sp, #(16 * \quads + 8)
  ldrd    r12, lr, [r3]
  ldrd    r4, r5, [r3, #8]
  str     r4, [sp, #(16 * \quads + 4)]
  cmp     r5, #0
  beq     2f
1:
  .set    rnnpool_quad, 0
  .rept   \quads
  rnnpool_start_quad rnnpool_quad, \quads, \linear
  strd    r4, r5, [r2], #8
  .set    rnnpool_quad, rnnpool_quad + 1
  .endr
  ldr     r3, [sp, #(16 * \quads + 4)]
  cmp     r2, r3
  bne     1b
  b       3f
2:
  str     r2, [sp, #(16 * \quads)]
  .if     \quads == 2
  ldm     r2, {r4-r7}
  stm     sp, {r4-r7}
  rnnpool_step_2 \linear
  ldrd    r6, r7, [sp]
  ldrd    r2, r3, [sp, #32]
  strd    r6, r7, [r2], #8
  strd    r4, r5, [r2], #8
  .else
  ldm     r2, {r4-r11}
  stm     sp, {r4-r11}
  rnnpool_step_4 \linear
  strd    r4, r5, [sp, #56]
  add     r2, sp, #32
  ldm     r2, {r4-r11}
  ldrd    r2, r3, [sp, #64]
  stm     r2!, {r4-r11}
  .endif
  cmp     r2, r3
  bne     2b
3:
  add     sp, #(16 * \quads + 12)
  pop     {r4-r11, pc}
rnnpool_end \name
.endm

rnnpool_walk rnnpool_dsp_walk8, 2, 0
rnnpool_walk rnnpool_dsp_walk8_linear, 2, 1
rnnpool_walk rnnpool_dsp_walk16, 4, 0
rnnpool_walk rnnpool_dsp_walk16_linear, 4, 1
rnnpool_advance rnnpool_dsp_advance8, 2, 0
rnnpool_advance rnnpool_dsp_advance8_linear, 2, 1
rnnpool_advance rnnpool_dsp_advance16, 4, 0
rnnpool_advance rnnpool_dsp_advance16_linear, 4, 1

@ Frame: {sigmoid, tanh}, state's start, old states of the quad, new states.
.macro rnnpool_step name, linear
rnnpool_function \name
  push    {r4-r11, lr}
  sub     sp, #20
  ldm     r3, {r4-r7}
  strd    r4, r5, [sp]
  strd    r2, r2, [sp, #8]
  str     r6, [sp, #16]
  mov     lr, r7
1:
  ldm     r1!, {r4-r7}
  ldr     r12, [sp, #8]
2:
  ldm     r12!, {r2, r3}
  rnnpool_multiply
  cmp     r12, lr
  bne     2b
  ldm     r0!, {r8-r11}
  .ifeq   \linear
  ldrd    r2, r3, [sp]
  .endif
  rnnpool_gates \linear, r2, r3
  ldr     r12, [sp, #12]
  ldm     r12!, {r2, r3}
  str     r12, [sp, #12]
  cmp     r12, lr
  rnnpool_update
  ldr     r12, [sp, #16]
  stm     r12!, {r4, r5}
  str     r12, [sp, #16]
  bne     1b
  add     sp, #20
  pop     {r4-r11, pc}
rnnpool_end \name
.endm

@ Frame: {bytes of a quad in the stream, end of the states}.
.macro rnnpool_start name, linear
rnnpool_function \name
  push    {r4-r11, lr}
  sub     sp, #12
  ldrd    r12, lr, [r3]
  ldrd    r4, r5, [r3, #8]
  strd    r4, r5, [sp]
1:
  ldm     r1!, {r4-r7}
  ldm     r0, {r8-r11}
  rnnpool_gates \linear
  rnnpool_update_zero
  strd    r4, r5, [r2], #8
  ldrd    r4, r5, [sp]
  add     r0, r0, r4
  cmp     r2, r5
  bne     1b
  add     sp, #12
  pop     {r4-r11, pc}
rnnpool_end \name
.endm

rnnpool_step rnnpool_dsp_step, 0
rnnpool_step rnnpool_dsp_step_linear, 1
rnnpool_start rnnpool_dsp_start, 0
rnnpool_start rnnpool_dsp_start_linear, 1
)");

extern "C" {
rnnpool::DspSteps::Walk rnnpool_dsp_walk8;
rnnpool::DspSteps::Walk rnnpool_dsp_walk8_linear;
rnnpool::DspSteps::Walk rnnpool_dsp_walk16;
rnnpool::DspSteps::Walk rnnpool_dsp_walk16_linear;
rnnpool::DspSteps::Advance rnnpool_dsp_advance8;
rnnpool::DspSteps::Advance rnnpool_dsp_advance8_linear;
rnnpool::DspSteps::Advance rnnpool_dsp_advance16;
rnnpool::DspSteps::Advance rnnpool_dsp_advance16_linear;
rnnpool::DspSteps::Step rnnpool_dsp_step;
rnnpool::DspSteps::Step rnnpool_dsp_step_linear;
rnnpool::DspSteps::Start rnnpool_dsp_start;
rnnpool::DspSteps::Start rnnpool_dsp_start_linear;
}

namespace rnnpool {

const DspSteps kDspSteps[2] = {
    {rnnpool_dsp_walk8, rnnpool_dsp_walk16, rnnpool_dsp_advance8, rnnpool_dsp_advance16,
     rnnpool_dsp_step, rnnpool_dsp_start},
    {rnnpool_dsp_walk8_linear, rnnpool_dsp_walk16_linear, rnnpool_dsp_advance8_linear,
     rnnpool_dsp_advance16_linear, rnnpool_dsp_step_linear, rnnpool_dsp_start_linear},
};

}  // namespace rnnpool

#endif  // RNNPOOL_USE_DSP
