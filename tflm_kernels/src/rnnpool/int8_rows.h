// Dot products of one vector with rows of int8 weights that may stand at any address.

#ifndef RNNPOOL_INT8_ROWS_H_
#define RNNPOOL_INT8_ROWS_H_

#include <stdint.h>

#include "rnnpool/dsp_instructions.h"
#include "rnnpool/fixed_point.h"
#include "rnnpool/int8_path.h"

namespace rnnpool {

// Rows that share the loads of the vector.
const int32_t kRowsAtOnce = 4;

#if RNNPOOL_USE_DSP

// Four inputs as pairs (0, 2) and (1, 3), the order in which bytes are unpacked.
inline void LoadFour(const int8_t* values, int32_t zero_point, uint32_t* even, uint32_t* odd) {
  const uint32_t word = Word(values);
  const uint32_t minus_zero = static_cast<uint32_t>(-zero_point) & 0xFFFF;
  const uint32_t offset = minus_zero | minus_zero << 16;
  *even = AddBytes02(offset, word);
  *odd = AddBytes13(offset, word);
}

inline void LoadFour(const int16_t* values, int32_t, uint32_t* even, uint32_t* odd) {
  const uint32_t first = Word(values);
  const uint32_t second = Word(values + 2);
  *even = LowHalves(first, second);
  *odd = HighHalves(first, second);
}

// sums[j] = sum of rows[j * count + i] * (values[i] - zero_point), for kRowsAtOnce rows.
template <typename Value>
inline void MultiplyInt8Rows(const int8_t* rows, const Value* values, int32_t zero_point,
                             int32_t count, int32_t* sums) {
  int32_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
  const int8_t* row = rows;
  int32_t i = 0;
  for (; i + 4 <= count; i += 4) {
    uint32_t even, odd;
    LoadFour(values + i, zero_point, &even, &odd);
    const uint32_t word0 = Word(row);
    const uint32_t word1 = Word(row + count);
    const uint32_t word2 = Word(row + 2 * count);
    const uint32_t word3 = Word(row + 3 * count);
    sum0 = MultiplyPairs(Bytes13(word0), odd, MultiplyPairs(Bytes02(word0), even, sum0));
    sum1 = MultiplyPairs(Bytes13(word1), odd, MultiplyPairs(Bytes02(word1), even, sum1));
    sum2 = MultiplyPairs(Bytes13(word2), odd, MultiplyPairs(Bytes02(word2), even, sum2));
    sum3 = MultiplyPairs(Bytes13(word3), odd, MultiplyPairs(Bytes02(word3), even, sum3));
    row += 4;
  }
  for (; i < count; ++i) {
    const int32_t value = values[i] - zero_point;
    sum0 += row[0] * value;
    sum1 += row[count] * value;
    sum2 += row[2 * count] * value;
    sum3 += row[3 * count] * value;
    ++row;
  }
  sums[0] = sum0;
  sums[1] = sum1;
  sums[2] = sum2;
  sums[3] = sum3;
}

#else

template <typename Value>
inline void MultiplyInt8Rows(const int8_t* rows, const Value* values, int32_t zero_point,
                             int32_t count, int32_t* sums) {
  int32_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
  const int8_t* row1 = rows + count;
  const int8_t* row2 = row1 + count;
  const int8_t* row3 = row2 + count;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t value = values[i] - zero_point;
    sum0 += rows[i] * value;
    sum1 += row1[i] * value;
    sum2 += row2[i] * value;
    sum3 += row3[i] * value;
  }
  sums[0] = sum0;
  sums[1] = sum1;
  sums[2] = sum2;
  sums[3] = sum3;
}

#endif

// sums[r] = sum of weights[r][i] * (values[i] - zero_point).
template <typename Value>
inline void MultiplyInt8Matrix(const int8_t* weights, const Value* values, int32_t zero_point,
                               int32_t rows, int32_t count, int32_t* sums) {
  int32_t r = 0;
  for (; r + kRowsAtOnce <= rows; r += kRowsAtOnce) {
    MultiplyInt8Rows(weights + r * count, values, zero_point, count, sums + r);
  }
  for (; r < rows; ++r) sums[r] = DotProduct(weights + r * count, values, zero_point, count);
}

}  // namespace rnnpool

#endif  // RNNPOOL_INT8_ROWS_H_
