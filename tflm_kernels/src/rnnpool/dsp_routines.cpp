// The widened int8 cell in assembly, for any Cortex-M with the DSP extension (no FPU needed).
// dsp_routines.h describes the functions, int8_widened_layout.h the streams of weights they read.
// Assembly in a .cpp file rather than a .S: every build system passes the processor's flags to it.
//
// Four units (a quad) are computed at a time. Registers throughout:
//   r0       stream of weights, read once from end to end per vector or step
//   r1       products, int32: read by steps, written by projections
//   r2, r3   four int16 inputs: one half of a vector of 8, or the next 4
//   r4-r7    accumulators of the quad's units, then -z, then new states
//   r8-r11   weights, then candidates
//   r12, lr  tables of sigmoid and tanh, addressed from their middle (walks and advances)
// Counts per quad: multiply 10 for 16 MACs, look up 20, update 10. A step takes 114 instructions at
// h = 8 and 316 at h = 16; a cell that advances in place 119 and 318; a first step 68 and 136.

#include "rnnpool/int8_path.h"

#if RNNPOOL_USE_DSP

#include "rnnpool/dsp_routines.h"

__asm__(R"(
  .syntax unified
  .thumb

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

@ Gate arguments r4-r7 and bias differences r8-r11 become -z (Q17) and candidates (Q15).
.macro rnnpool_look_up sigmoid=r12, tanh=lr
  add     r8, r8, r4
  add     r9, r9, r5
  add     r10, r10, r6
  add     r11, r11, r7
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
.macro rnnpool_start_quad q, quads
  ldm     r1!, {r4-r7}
  ldrd    r8, r9, [r0, #(32 * \quads + \q * (32 * \quads + 16))]
  ldrd    r10, r11, [r0, #(32 * \quads + \q * (32 * \quads + 16) + 8)]
  rnnpool_look_up
  rnnpool_update_zero
.endm

@ One quad from the states on the stack. Its own states come last, so that the update finds them in
@ r2, r3; the first to come may be there already.
.macro rnnpool_step_quad q, quads, loaded=0, new0=r4, new1=r5
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
  rnnpool_look_up
  rnnpool_update \new0, \new1
.endm

@ Two quads. The first one's new states replace the old ones on the stack as soon as those have been
@ read for the last time; the second one's stay in \new0, \new1.
.macro rnnpool_step_2 loaded=0, new0=r4, new1=r5
  rnnpool_step_quad 0, 2, \loaded
  ldrd    r2, r3, [sp]
  strd    r4, r5, [sp]
  rnnpool_step_quad 1, 2, 1, \new0, \new1
  sub     r0, r0, #160
.endm

@ Four quads. New states go behind the old ones; the last one's stay in r4, r5.
.macro rnnpool_step_4
  rnnpool_step_quad 0, 4
  strd    r4, r5, [sp, #32]
  rnnpool_step_quad 1, 4
  strd    r4, r5, [sp, #40]
  rnnpool_step_quad 2, 4
  strd    r4, r5, [sp, #48]
  rnnpool_step_quad 3, 4
  sub     r0, r0, #576
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

@ Frame: states [quads * 8 bytes], new states, then from DspWalk {stride, end, pitch, rewind,
@ states_end, fresh}, then r2: where the states belong.
.macro rnnpool_walk name, quads
rnnpool_function \name
  push    {r2, r4-r11, lr}
  sub     sp, #(16 * \quads + 24)
  ldrd    r12, lr, [r3], #8
  ldm     r3, {r4-r9}
  add     r3, sp, #(16 * \quads)
  stm     r3, {r4-r9}
1:
  cmp     r9, #0
  beq     2f
  .set    rnnpool_quad, 0
  .rept   \quads
  rnnpool_start_quad rnnpool_quad, \quads
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
  rnnpool_step_2 1, r2, r3
  strd    r2, r3, [sp, #8]
  .else
  rnnpool_step_4
  strd    r4, r5, [sp, #24]
  add     r2, sp, #32
  ldm     r2, {r6-r11}
  stm     sp, {r6-r11}
  .endif
4:
  ldrd    r4, r5, [sp, #(16 * \quads)]
  add     r1, r1, r4
  cmp     r1, r5
  bne     3b
  ldr     r2, [sp, #(16 * \quads + 24)]
  .if     \quads == 2
  ldm     sp, {r6-r9}
  stm     r2!, {r6-r9}
  .else
  ldm     sp, {r4-r11}
  stm     r2!, {r4-r11}
  ldr     r5, [sp, #(16 * \quads + 4)]
  .endif
  str     r2, [sp, #(16 * \quads + 24)]
  add     r4, sp, #(16 * \quads + 8)
  ldm     r4, {r6-r9}
  add     r5, r5, r6
  str     r5, [sp, #(16 * \quads + 4)]
  add     r1, r1, r7
  cmp     r2, r8
  bne     1b
  add     sp, #(16 * \quads + 28)
  pop     {r4-r11, pc}
rnnpool_end \name
.endm

@ Frame: states, new states, {next cell's states, end of all}.
.macro rnnpool_advance name, quads
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
  rnnpool_start_quad rnnpool_quad, \quads
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
  rnnpool_step_2
  ldrd    r6, r7, [sp]
  ldrd    r2, r3, [sp, #32]
  strd    r6, r7, [r2], #8
  strd    r4, r5, [r2], #8
  .else
  ldm     r2, {r4-r11}
  stm     sp, {r4-r11}
  rnnpool_step_4
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

rnnpool_walk rnnpool_dsp_walk8, 2
rnnpool_walk rnnpool_dsp_walk16, 4
rnnpool_advance rnnpool_dsp_advance8, 2
rnnpool_advance rnnpool_dsp_advance16, 4

@ Frame: {sigmoid, tanh}, state's start, old states of the quad, new states.
rnnpool_function rnnpool_dsp_step
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
  ldrd    r2, r3, [sp]
  rnnpool_look_up r2, r3
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
rnnpool_end rnnpool_dsp_step

@ Frame: {bytes of a quad in the stream, end of the states}.
rnnpool_function rnnpool_dsp_start
  push    {r4-r11, lr}
  sub     sp, #12
  ldrd    r12, lr, [r3]
  ldrd    r4, r5, [r3, #8]
  strd    r4, r5, [sp]
1:
  ldm     r1!, {r4-r7}
  ldm     r0, {r8-r11}
  rnnpool_look_up
  rnnpool_update_zero
  strd    r4, r5, [r2], #8
  ldrd    r4, r5, [sp]
  add     r0, r0, r4
  cmp     r2, r5
  bne     1b
  add     sp, #12
  pop     {r4-r11, pc}
rnnpool_end rnnpool_dsp_start

@ Projections. Frame: a copy of DspProjection, whose first word becomes the place to go on at after
@ saturating, and whose `vector` advances; then {start of the stream, overrun}.
.equ rnnpool_saturate_at, 4
.equ rnnpool_shift_at, 8        @ and the end of the stream
.equ rnnpool_vector_at, 16      @ and the end of all vectors
.equ rnnpool_pitch_at, 24       @ and the second block
.equ rnnpool_stream_at, 32      @ and the overrun

.macro rnnpool_project_begin name, saturate
rnnpool_function \name
  push    {r4-r11, lr}
  sub     sp, #44
  ldm     r2!, {r4-r11}
  stm     sp, {r4-r11}
  ldr     r3, [r2]
  strd    r0, r3, [sp, #rnnpool_stream_at]
  mov     r12, r8
  .if     \saturate
  adr     r4, 8f
  add     r4, r4, #1            @ Thumb
  str     r4, [sp]
  .endif
.endm

@ The quad's sums are complete: scale them, store them, go on with the next quad.
.macro rnnpool_project_quad_end again, saturate
  .if     \saturate
  ldr     pc, [sp, #rnnpool_saturate_at]
  .balign 4
  .endif
8:
  ldrd    r8, r9, [sp, #rnnpool_shift_at]
  .ifeq   \saturate
  lsl     r4, r4, r8
  lsl     r5, r5, r8
  lsl     r6, r6, r8
  lsl     r7, r7, r8
  .endif
  stm     r1!, {r4-r7}
  cmp     r0, r9
  bne     \again
  ldrd    r0, r8, [sp, #rnnpool_stream_at]
  sub     r1, r1, r8
.endm

.macro rnnpool_project_end name
  add     sp, #44
  pop     {r4-r11, pc}
rnnpool_end \name
.endm

@ Four bytes -> two pairs, as the stream's order expects: (0, 2) and (1, 3).
.macro rnnpool_unpack x0, x1
  sxtb16  \x1, \x0, ror #8
  sxtb16  \x0, \x0
.endm

.macro rnnpool_project_pixels4 name, saturate
rnnpool_project_begin \name, \saturate
  ldr     lr, [sp, #rnnpool_pitch_at]
1:
  ldr     r2, [r12]
  add     r12, r12, lr
  rnnpool_unpack r2, r3
2:
  ldm     r0!, {r4-r7}
  rnnpool_multiply
  rnnpool_project_quad_end 2b, \saturate
  ldr     r8, [sp, #(rnnpool_vector_at + 4)]
  cmp     r12, r8
  bne     1b
rnnpool_project_end \name
.endm

@ Vectors of 8, held in r2, r3, r12, lr.
.macro rnnpool_project8 name, pixels, saturate
rnnpool_project_begin \name, \saturate
  mov     r8, r12
1:
  ldrd    r9, r10, [sp, #rnnpool_pitch_at]
  .if     \pixels
  ldr     r2, [r8]
  ldr     r12, [r8, r10]
  rnnpool_unpack r2, r3
  rnnpool_unpack r12, lr
  .else
  ldrd    r2, r3, [r8]
  ldrd    r12, lr, [r8, #8]
  .endif
  add     r8, r8, r9
  str     r8, [sp, #rnnpool_vector_at]
2:
  ldm     r0!, {r4-r7}
  rnnpool_multiply
  rnnpool_multiply r12, lr
  rnnpool_project_quad_end 2b, \saturate
  ldrd    r8, r9, [sp, #rnnpool_vector_at]
  cmp     r8, r9
  bne     1b
rnnpool_project_end \name
.endm

@ Vectors of any length. r12 walks along one until lr, where the next begins.
.macro rnnpool_project_any name, pixels, saturate
rnnpool_project_begin \name, \saturate
  mov     lr, r12
1:
  ldr     r8, [sp, #rnnpool_pitch_at]
  add     lr, lr, r8
2:
  ldr     r12, [sp, #rnnpool_vector_at]
  ldm     r0!, {r4-r7}
  .if     \pixels
  ldr     r2, [r12]
  ldr     r3, [sp, #(rnnpool_pitch_at + 4)]
  add     r12, r12, r3
  rnnpool_unpack r2, r3
  rnnpool_multiply
  .endif
3:
  .if     \pixels
  ldr     r2, [r12], #4
  rnnpool_unpack r2, r3
  .else
  ldm     r12!, {r2, r3}
  .endif
  rnnpool_multiply
  cmp     r12, lr
  bne     3b
  rnnpool_project_quad_end 2b, \saturate
  str     lr, [sp, #rnnpool_vector_at]
  ldr     r8, [sp, #(rnnpool_vector_at + 4)]
  cmp     lr, r8
  bne     1b
rnnpool_project_end \name
.endm

rnnpool_project_pixels4 rnnpool_dsp_project_pixels4, 0
rnnpool_project_pixels4 rnnpool_dsp_project_pixels4_saturate, 1
rnnpool_project8 rnnpool_dsp_project_pixels8, 1, 0
rnnpool_project8 rnnpool_dsp_project_pixels8_saturate, 1, 1
rnnpool_project_any rnnpool_dsp_project_pixels, 1, 0
rnnpool_project_any rnnpool_dsp_project_pixels_saturate, 1, 1
rnnpool_project8 rnnpool_dsp_project_states8, 0, 0
rnnpool_project8 rnnpool_dsp_project_states8_saturate, 0, 1
rnnpool_project_any rnnpool_dsp_project_states, 0, 0
rnnpool_project_any rnnpool_dsp_project_states_saturate, 0, 1

@ r4-r7 = saturated sums << shift. SSAT takes its width from the instruction alone, so there is one
@ piece of 36 bytes for each shift 0..26.
rnnpool_function rnnpool_dsp_saturate
  .set    rnnpool_shift, 0
  .rept   27
  ssat    r4, #(31 - rnnpool_shift), r4
  ssat    r5, #(31 - rnnpool_shift), r5
  ssat    r6, #(31 - rnnpool_shift), r6
  ssat    r7, #(31 - rnnpool_shift), r7
  lsl.w   r4, r4, #rnnpool_shift
  lsl.w   r5, r5, #rnnpool_shift
  lsl.w   r6, r6, #rnnpool_shift
  lsl.w   r7, r7, #rnnpool_shift
  ldr.w   pc, [sp]
  .set    rnnpool_shift, rnnpool_shift + 1
  .endr
rnnpool_end rnnpool_dsp_saturate
)");

extern "C" {
typedef void Project(const void*, int32_t*, const rnnpool::DspProjection*);
Project rnnpool_dsp_project_pixels4;
Project rnnpool_dsp_project_pixels4_saturate;
Project rnnpool_dsp_project_pixels8;
Project rnnpool_dsp_project_pixels8_saturate;
Project rnnpool_dsp_project_pixels;
Project rnnpool_dsp_project_pixels_saturate;
Project rnnpool_dsp_project_states8;
Project rnnpool_dsp_project_states8_saturate;
Project rnnpool_dsp_project_states;
Project rnnpool_dsp_project_states_saturate;
}

namespace rnnpool {

// Also what makes linkers take this file from an archive when they optimise the whole program: they
// see none of the symbols that assembly defines.
const DspProject kDspProjections[kDspVectorKinds][2] = {
    {rnnpool_dsp_project_pixels4, rnnpool_dsp_project_pixels4_saturate},
    {rnnpool_dsp_project_pixels8, rnnpool_dsp_project_pixels8_saturate},
    {rnnpool_dsp_project_pixels, rnnpool_dsp_project_pixels_saturate},
    {rnnpool_dsp_project_states8, rnnpool_dsp_project_states8_saturate},
    {rnnpool_dsp_project_states, rnnpool_dsp_project_states_saturate},
};

}  // namespace rnnpool

#endif  // RNNPOOL_USE_DSP
