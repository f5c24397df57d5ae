// Packed matrices: int8 weights [rows][columns] without their pairs of zeros.
//
// A pair is two neighbouring columns 2i and 2i + 1 of a row; with an odd number of columns the last
// one has a partner of weight 0. Columns are taken in segments of 512 (256 pairs). The stream, which
// is aligned to 4 bytes:
//   header  "RPK1", rows, columns       two little-endian int32
//   counts  uint8 [segments][rows]      groups of each row in each segment; 0 up to a multiple of 4
//   groups                              of the counts' order, 12 bytes each: four pairs
//     uint8 [4]                         indices of the pairs within their segment
//     int8 [8]                          a0 a1 b0 b1 a2 a3 b2 b3: weights (a, b) of pairs 0 to 3, in
//                                       the order in which SXTB16 unpacks them
// Indices of a row and segment increase. Pairs of zeros, which fill up a group, may stand anywhere
// and have any index that exists.
//
// A pair takes 3 bytes for 2 of a dense matrix.

#ifndef RNNPOOL_INT8_PACKED_H_
#define RNNPOOL_INT8_PACKED_H_

#include <stddef.h>
#include <stdint.h>

namespace rnnpool {

const int32_t kPackedSegment = 256;   // pairs
const int32_t kPackedGroupBytes = 12;
// Vectors that are multiplied in one go.
const int32_t kPackedVectors = 4;

inline int32_t PairsOf(int32_t columns) { return columns / 2 + columns % 2; }

// An opened stream.
struct PackedMatrix {
  int32_t rows;
  int32_t columns;
  int32_t segments;
  const uint8_t* counts;
  const int8_t* groups;
};

// Reads the header. False when there is none, or its sizes are below 1.
bool OpenPacked(const void* stream, size_t bytes, PackedMatrix* matrix);

// The same of a stream that has been checked, and of which the shape is known.
PackedMatrix CheckedPacked(const int8_t* stream, int32_t rows, int32_t columns);

// Reads all of it. Safe for any bytes. Returns nullptr for a matrix of this shape, or a sentence.
const char* CheckPacked(const void* stream, size_t bytes, int32_t rows, int32_t columns);

// Vectors as multiplication wants them, in int16 and without their zero point: pairs
// [pair][lanes][2] with one lane for one vector, or else kPackedVectors, unused ones 0. Of `count`
// vectors, at most kPackedVectors; `pitch` is the distance between them. Those in int16 have the
// zero point 0 and room for a whole last pair.
void LayOutPairs(const int8_t* vectors, int32_t pitch, int32_t count, int32_t zero_point,
                 int32_t columns, int16_t* pairs);
void LayOutPairs(const int16_t* vectors, int32_t pitch, int32_t count, int32_t zero_point,
                 int32_t columns, int16_t* pairs);

// sums[n][r] += row r times vector n, for `count` vectors in the layout above, at most
// kPackedVectors. Pairs and sums are aligned to 4 bytes. Partners of a last odd column count 0
// times, so they may be anything.
void MultiplyPacked(const PackedMatrix& matrix, const int16_t* pairs, int32_t count,
                    int32_t* sums);

}  // namespace rnnpool

#endif  // RNNPOOL_INT8_PACKED_H_
