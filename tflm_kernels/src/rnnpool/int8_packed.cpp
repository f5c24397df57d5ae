#include "rnnpool/int8_packed.h"

#include <string.h>

#include "rnnpool/dsp_instructions.h"
#include "rnnpool/int8_path.h"
#include "rnnpool/portable_loops.h"

namespace rnnpool {
namespace {

const char kMagic[4] = {'R', 'P', 'K', '1'};
const int64_t kHeaderBytes = 12;
const int32_t kPairsOfGroup = 4;

int32_t SegmentsOf(int32_t columns) { return (PairsOf(columns) - 1) / kPackedSegment + 1; }

// Positions of a pair's weights in its group.
inline int32_t FirstWeight(int32_t pair) { return 4 + pair / 2 * 4 + pair % 2; }
inline int32_t SecondWeight(int32_t pair) { return FirstWeight(pair) + 2; }

// Lanes without a vector.
void ClearLanes(int32_t count, int32_t columns, int16_t* pairs) {
  if (count == 1) return;
  for (int32_t n = count; n < kPackedVectors; ++n) {
    for (int32_t i = 0; i < PairsOf(columns); ++i) {
      memset(pairs + 2 * (i * kPackedVectors + n), 0, 2 * sizeof(int16_t));
    }
  }
}

// Of one row in one segment of `pairs` pairs; `half` if the last of them has no second column.
bool IndicesAreValid(const int8_t* group, int32_t count, int32_t pairs, bool half) {
  int32_t last = -1;
  for (int32_t n = 0; n < count; ++n, group += kPackedGroupBytes) {
    for (int32_t p = 0; p < kPairsOfGroup; ++p) {
      const int32_t index = static_cast<uint8_t>(group[p]);
      const bool second = group[SecondWeight(p)] != 0;
      if (index >= pairs || (half && second && index == pairs - 1)) return false;
      if (group[FirstWeight(p)] == 0 && !second) continue;
      if (index <= last) return false;
      last = index;
    }
  }
  return true;
}

}  // namespace

bool OpenPacked(const void* stream, size_t bytes, PackedMatrix* matrix) {
  if (bytes < static_cast<size_t>(kHeaderBytes) || memcmp(stream, kMagic, sizeof(kMagic)) != 0) {
    return false;
  }
  const uint8_t* place = static_cast<const uint8_t*>(stream);
  memcpy(&matrix->rows, place + 4, sizeof(int32_t));
  memcpy(&matrix->columns, place + 8, sizeof(int32_t));
  if (matrix->rows < 1 || matrix->columns < 1) return false;
  const int64_t counts = static_cast<int64_t>(SegmentsOf(matrix->columns)) * matrix->rows;
  if (kHeaderBytes + (counts + 3) / 4 * 4 > static_cast<int64_t>(bytes)) return false;
  *matrix =
      CheckedPacked(static_cast<const int8_t*>(stream), matrix->rows, matrix->columns);
  return true;
}

PackedMatrix CheckedPacked(const int8_t* stream, int32_t rows, int32_t columns) {
  const int32_t segments = SegmentsOf(columns);
  const int8_t* counts = stream + kHeaderBytes;
  const PackedMatrix matrix = {rows, columns, segments,
                               reinterpret_cast<const uint8_t*>(counts),
                               counts + (segments * rows + 3) / 4 * 4};
  return matrix;
}

const char* CheckPacked(const void* stream, size_t bytes, int32_t rows, int32_t columns) {
  if (reinterpret_cast<uintptr_t>(stream) % 4 != 0) {
    return "A packed matrix must be aligned to 4 bytes.";
  }
  PackedMatrix matrix;
  if (!OpenPacked(stream, bytes, &matrix)) return "A packed matrix is damaged.";
  if (matrix.rows != rows || matrix.columns != columns) {
    return "A packed matrix does not have the size that its cell needs.";
  }
  const int8_t* group = matrix.groups;
  const int8_t* const end = static_cast<const int8_t*>(stream) + bytes;
  const uint8_t* count = matrix.counts;
  for (int32_t segment = 0; segment < matrix.segments; ++segment) {
    const bool last = segment == matrix.segments - 1;
    const int32_t pairs =
        last ? PairsOf(columns) - segment * kPackedSegment : kPackedSegment;
    for (int32_t r = 0; r < rows; ++r, ++count) {
      if (*count * static_cast<ptrdiff_t>(kPackedGroupBytes) > end - group) {
        return "A packed matrix is truncated.";
      }
      if (!IndicesAreValid(group, *count, pairs, last && columns % 2 == 1)) {
        return "A pair of a packed matrix is out of place.";
      }
      group += *count * kPackedGroupBytes;
    }
  }
  return group == end ? nullptr : "A packed matrix is longer than its counts say.";
}

void LayOutPairs(const int8_t* vectors, int32_t pitch, int32_t count, int32_t zero_point,
                 int32_t columns, int16_t* pairs) {
  const int32_t lanes = count == 1 ? 1 : kPackedVectors;
  ClearLanes(count, columns, pairs);
  for (int32_t n = 0; n < count; ++n) {
    int16_t* pair = pairs + 2 * n;
    int32_t i = 0;
#if RNNPOOL_USE_DSP
    const uint32_t minus_zero = static_cast<uint32_t>(-zero_point) & 0xFFFF;
    const uint32_t offset = minus_zero | minus_zero << 16;
    for (; i + 4 <= columns; i += 4) {
      const uint32_t word = Word(vectors + i);
      const uint32_t even = AddBytes02(offset, word);
      const uint32_t odd = AddBytes13(offset, word);
      StoreWord(LowHalves(even, odd), pair);
      StoreWord(HighHalves(even, odd), pair + 2 * lanes);
      pair += 4 * lanes;
    }
#endif
    for (; i < columns; i += 2) {
      pair[0] = static_cast<int16_t>(vectors[i] - zero_point);
      pair[1] = static_cast<int16_t>(i + 1 < columns ? vectors[i + 1] - zero_point : 0);
      pair += 2 * lanes;
    }
    vectors += pitch;
  }
}

void LayOutPairs(const int16_t* vectors, int32_t pitch, int32_t count, int32_t, int32_t columns,
                 int16_t* pairs) {
  const int32_t lanes = count == 1 ? 1 : kPackedVectors;
  ClearLanes(count, columns, pairs);
  for (int32_t n = 0; n < count; ++n) {
    int16_t* pair = pairs + 2 * n;
    for (int32_t i = 0; i < columns; i += 2) {
      memcpy(pair, vectors + i, 2 * sizeof(int16_t));
      pair += 2 * lanes;
    }
    vectors += pitch;
  }
}

#if !RNNPOOL_USE_DSP

namespace {

// One segment: pairs [pair][kLanes][2]. Returns the end of its groups.
template <int kLanes>
const int8_t* MultiplySegment(const int8_t* group, const uint8_t* counts, int32_t rows,
                              const int16_t* pairs, int32_t count, int32_t* sums) {
  for (int32_t r = 0; r < rows; ++r) {
    int32_t total[kLanes] = {};
    for (const int8_t* end = group + counts[r] * kPackedGroupBytes; group != end;
         group += kPackedGroupBytes) {
      for (int32_t p = 0; p < kPairsOfGroup; ++p) {
        const int32_t first = group[FirstWeight(p)];
        const int32_t second = group[SecondWeight(p)];
        const int16_t* values = pairs + static_cast<uint8_t>(group[p]) * 2 * kLanes;
        for (int n = 0; n < kLanes; ++n) {
          total[n] += first * values[2 * n] + second * values[2 * n + 1];
        }
      }
    }
    for (int32_t n = 0; n < count; ++n) sums[n * rows + r] += total[n];
  }
  return group;
}

}  // namespace

void MultiplyPacked(const PackedMatrix& matrix, const int16_t* pairs, int32_t count,
                    int32_t* sums) {
  const bool one = count == 1;
  const int8_t* groups = matrix.groups;
  const uint8_t* counts = matrix.counts;
  for (int32_t segment = 0; segment < matrix.segments; ++segment) {
    groups = (one ? MultiplySegment<1> : MultiplySegment<kPackedVectors>)(
        groups, counts, matrix.rows, pairs, count, sums);
    counts += matrix.rows;
    pairs += kPackedSegment * 2 * (one ? 1 : kPackedVectors);
  }
}

#endif

}  // namespace rnnpool
