// Multiplication with a packed matrix in assembly, for any Cortex-M with the DSP extension. Layouts:
// int8_packed.h. A group takes 19 instructions for 4 pairs of one vector, or 36 for those of four.

#include "rnnpool/int8_path.h"

#if RNNPOOL_USE_DSP

#include "rnnpool/int8_packed.h"

namespace {

// Known to the assembly.
struct PackedRows {
  const int16_t* pairs;
  int32_t* sums;
  const uint8_t* counts;
  const uint8_t* counts_end;
  // Bytes from the first vector's sums to the others'; 0 for vectors that are not there.
  int32_t offsets[3];
};

}  // namespace

__asm__(R"(
  .syntax unified
  .thumb

.macro rnnpool_packed name
  .pushsection .text.\name, "ax", %progbits
  .balign 4
  .global \name
  .type   \name, %function
  .thumb_func
\name:
.endm

.macro rnnpool_packed_end name
  .size   \name, . - \name
  .popsection
.endm

@ r4 += a pair's weights in \weights times the pair that byte \index of r5 names.
.macro rnnpool_packed_pair index, weights:vararg
  .if     \index
  uxtb    r8, r5, ror #(8 * \index)
  .else
  uxtb    r8, r5
  .endif
  ldr     r8, [r1, r8, lsl #2]
  sxtb16  r9, \weights
  smlad   r4, r9, r8, r4
.endm

@ The same for four vectors: r2, r3, r4, lr.
.macro rnnpool_packed_quad index, weights:vararg
  .if     \index
  uxtb    r8, r5, ror #(8 * \index)
  .else
  uxtb    r8, r5
  .endif
  add     r8, r1, r8, lsl #4
  sxtb16  r12, \weights
  ldm     r8, {r8-r11}
  smlad   r2, r12, r8, r2
  smlad   r3, r12, r9, r3
  smlad   r4, r12, r10, r4
  smlad   lr, r12, r11, lr
.endm

@ r0: groups, which it returns the end of; r1: PackedRows.
rnnpool_packed rnnpool_dsp_packed1
  push    {r4-r11, lr}
  ldm     r1, {r1, r2, r3, r12}
1:
  ldrb    r10, [r3], #1
  ldr     r4, [r2]
  add     r10, r10, r10, lsl #1
  add     r10, r0, r10, lsl #2
  cmp     r0, r10
  beq     3f
2:
  ldm     r0!, {r5-r7}
  rnnpool_packed_pair 0, r6
  rnnpool_packed_pair 1, r6, ror #8
  rnnpool_packed_pair 2, r7
  rnnpool_packed_pair 3, r7, ror #8
  cmp     r0, r10
  bne     2b
3:
  str     r4, [r2], #4
  cmp     r3, r12
  bne     1b
  pop     {r4-r11, pc}
rnnpool_packed_end rnnpool_dsp_packed1

@ Frame: end of the row's groups, a gap, then {sums, counts, end of the counts, offsets}.
.equ rnnpool_packed_sums, 8
.equ rnnpool_packed_counts, 12
.equ rnnpool_packed_offsets, 20
rnnpool_packed rnnpool_dsp_packed4
  push    {r4-r11, lr}
  sub     sp, #32
  ldm     r1, {r1, r2, r3, r4, r5, r6, r7}
  add     r8, sp, #rnnpool_packed_sums
  stm     r8, {r2-r7}
1:
  ldrd    r8, r9, [sp, #rnnpool_packed_sums]
  ldrb    r12, [r9], #1
  str     r9, [sp, #rnnpool_packed_counts]
  add     r12, r12, r12, lsl #1
  add     r12, r0, r12, lsl #2
  str     r12, [sp]
  ldrd    r9, r10, [sp, #rnnpool_packed_offsets]
  ldr     r11, [sp, #(rnnpool_packed_offsets + 8)]
  ldr     r2, [r8]
  ldr     r3, [r8, r9]
  ldr     r4, [r8, r10]
  ldr     lr, [r8, r11]
  cmp     r0, r12
  beq     3f
2:
  ldm     r0!, {r5-r7}
  rnnpool_packed_quad 0, r6
  rnnpool_packed_quad 1, r6, ror #8
  rnnpool_packed_quad 2, r7
  rnnpool_packed_quad 3, r7, ror #8
  ldr     r12, [sp]
  cmp     r0, r12
  bne     2b
  ldrd    r9, r10, [sp, #rnnpool_packed_offsets]
  ldr     r11, [sp, #(rnnpool_packed_offsets + 8)]
  ldr     r8, [sp, #rnnpool_packed_sums]
3:
  @ The first vector's sum comes last: it is what stands for vectors that are not there.
  str     lr, [r8, r11]
  str     r4, [r8, r10]
  str     r3, [r8, r9]
  str     r2, [r8], #4
  str     r8, [sp, #rnnpool_packed_sums]
  ldrd    r8, r9, [sp, #rnnpool_packed_counts]
  cmp     r8, r9
  bne     1b
  add     sp, #32
  pop     {r4-r11, pc}
rnnpool_packed_end rnnpool_dsp_packed4
)");

extern "C" {
const int8_t* rnnpool_dsp_packed1(const int8_t* groups, const PackedRows* rows);
const int8_t* rnnpool_dsp_packed4(const int8_t* groups, const PackedRows* rows);
}

namespace rnnpool {

void MultiplyPacked(const PackedMatrix& matrix, const int16_t* pairs, int32_t count,
                    int32_t* sums) {
  PackedRows rows = {pairs, sums, matrix.counts, matrix.counts, {0, 0, 0}};
  const int32_t pitch = matrix.rows * static_cast<int32_t>(sizeof(int32_t));
  for (int32_t n = 1; n < count; ++n) rows.offsets[n - 1] = n * pitch;
  const int32_t lanes = count == 1 ? 1 : kPackedVectors;
  const int8_t* groups = matrix.groups;
  for (int32_t segment = 0; segment < matrix.segments; ++segment) {
    rows.counts = rows.counts_end;
    rows.counts_end += matrix.rows;
    groups = count == 1 ? rnnpool_dsp_packed1(groups, &rows) : rnnpool_dsp_packed4(groups, &rows);
    rows.pairs += kPackedSegment * 2 * lanes;
  }
}

}  // namespace rnnpool

#endif  // RNNPOOL_USE_DSP
