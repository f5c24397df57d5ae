// Projections of the widened int8 cell in assembly, for any Cortex-M with the DSP extension (no FPU
// needed). dsp_routines.h describes the functions, int8_widened_layout.h the streams of weights that
// they read, dsp_macros.h the registers.

#include "rnnpool/int8_path.h"

#if RNNPOOL_USE_DSP

#include "rnnpool/dsp_macros.h"
#include "rnnpool/dsp_routines.h"

__asm__(R"(
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
