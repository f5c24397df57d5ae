#include "rnnpool/int8_widened_avx2.h"

#if RNNPOOL_USE_AVX2

#include <string.h>

#include "rnnpool/tables.h"

namespace rnnpool {
namespace {

// Two int16 in one int32 lane: VPMADDWD multiplies and adds them at once.
const int32_t kPair = 2;
const int32_t kMostBlocks = 6;  // a widened cell has 45 units at most

constexpr int32_t Pairs(int32_t count) { return (count + 1) / kPair; }

inline int32_t LoadPair(const int16_t* values) {
  int32_t pair;
  memcpy(&pair, values, sizeof(pair));
  return pair;
}

// A matrix [rows][columns] of the layout as [block][pair][lane], rows being lanes.
struct Columns {
  explicit Columns(const int16_t* matrix, int32_t rows, int32_t count) : pairs(Pairs(count)) {
    for (int32_t r = 0; r < Avx2Blocks(rows) * kAvx2Lanes; ++r) {
      int32_t* column = lanes + r / kAvx2Lanes * pairs * kAvx2Lanes + r % kAvx2Lanes;
      for (int32_t p = 0; p < pairs; ++p) {
        column[p * kAvx2Lanes] = r < rows ? LoadPair(matrix + (r * pairs + p) * kPair) : 0;
      }
    }
  }

  static bool Fit(int32_t rows, int32_t count) {
    return Avx2Blocks(rows) <= kMostBlocks &&
           Avx2Blocks(rows) * kAvx2Lanes * Pairs(count) <= kAvx2LargestMatrix;
  }

  int32_t pairs;
  int32_t lanes[kAvx2LargestMatrix];
};

// sum + (block of rows) * values
template <int32_t kPairs>
RNNPOOL_AVX2_INLINE __m256i MultiplyAdd(const Columns& columns, int32_t block,
                                        const int16_t* values, __m256i sum) {
  const int32_t pairs = kPairs != 0 ? kPairs : columns.pairs;
  const int32_t* lanes = columns.lanes + block * pairs * kAvx2Lanes;
  for (int32_t p = 0; p < pairs; ++p) {
    const __m256i column =
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(lanes + p * kAvx2Lanes));
    const __m256i pair = _mm256_set1_epi32(LoadPair(values + p * kPair));
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(column, pair));
  }
  return sum;
}

// Dense arrays of int32; `left` is how many are left.
RNNPOOL_AVX2_INLINE __m256i LoadLanes(const int32_t* from, int32_t left) {
  if (left >= kAvx2Lanes) return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return _mm256_maskload_epi32(from, FirstLanes(left));
}

RNNPOOL_AVX2_INLINE void StoreLanes(__m256i lanes, int32_t left, int32_t* to) {
  if (left >= kAvx2Lanes) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), lanes);
  } else {
    _mm256_maskstore_epi32(to, FirstLanes(left), lanes);
  }
}

// States come in whole quads; see StatePitch.
RNNPOOL_AVX2_INLINE __m256i LoadStates(const int16_t* from, int32_t left) {
  const __m128i* source = reinterpret_cast<const __m128i*>(from);
  return _mm256_cvtepi16_epi32(left > 4 ? _mm_loadu_si128(source) : _mm_loadl_epi64(source));
}

RNNPOOL_AVX2_INLINE void StoreStates(__m128i states, int32_t left, int16_t* to) {
  if (left > 4) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), states);
  } else {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), states);
  }
}

RNNPOOL_AVX2_INLINE __m256i Clamp(__m256i value, int32_t smallest, int32_t largest) {
  return _mm256_min_epi32(_mm256_max_epi32(value, _mm256_set1_epi32(smallest)),
                          _mm256_set1_epi32(largest));
}

// SmoothGates and PiecewiseLinearGates of fixed_point.h for 8 units.
template <GatesKind kGates>
RNNPOOL_AVX2_INLINE __m256i MinusKeep(__m256i gate) {
  if (kGates == GatesKind::kPiecewiseLinear) {
    const __m256i keep = Clamp(_mm256_srai_epi32(gate, 10), 0, (1 << 17) - 1);
    return _mm256_sub_epi32(_mm256_setzero_si256(), keep);
  }
  const __m256i index = Clamp(_mm256_srai_epi32(gate, 19), -1024, 1023);
  return _mm256_i32gather_epi32(kMinusSigmoidQ17 + 1024, index, 4);
}

template <GatesKind kGates>
RNNPOOL_AVX2_INLINE __m256i Candidate(__m256i candidate) {
  if (kGates == GatesKind::kPiecewiseLinear) {
    return Clamp(_mm256_srai_epi32(candidate, 11), -32768, 32767);
  }
  // A gather reads 4 bytes; the entry is their upper half, the one before it the lower. The first
  // entry has none before it, so the second, which equals it, stands in for it.
  const __m256i index = Clamp(_mm256_srai_epi32(candidate, 17), -2047, 2047);
  const int32_t* before = reinterpret_cast<const int32_t*>(kTanhQ15 + 2047);
  return _mm256_srai_epi32(_mm256_i32gather_epi32(before, index, 2), 16);
}

// UpdateState for 8 units.
RNNPOOL_AVX2_INLINE __m128i Update(__m256i minus_keep, __m256i c, __m256i state) {
  const __m256i half = _mm256_srai_epi32(_mm256_sub_epi32(c, state), 1);
  // Products in 64 bits, of even lanes and of odd ones; bits 16 to 47 of each.
  const __m256i even = _mm256_mul_epi32(minus_keep, half);
  const __m256i odd =
      _mm256_mul_epi32(_mm256_srli_epi64(minus_keep, 32), _mm256_srli_epi64(half, 32));
  const __m256i change =
      _mm256_blend_epi32(_mm256_srli_epi64(even, 16), _mm256_slli_epi64(odd, 16), 0xAA);
  const __m256i next = _mm256_add_epi32(c, change);
  return _mm_packs_epi32(_mm256_castsi256_si128(next), _mm256_extracti128_si256(next, 1));
}

// Products of `count` vectors, whose elements Widen makes readable as pairs of int16.
template <int32_t kUnits, int32_t kInputs, class Widen, typename Value>
RNNPOOL_AVX2 void ProjectVectors(const WidenedLayout& layout, const int16_t* data, int32_t shift,
                                 const Value* vectors, int32_t pitch, int32_t count,
                                 int32_t* products) {
  const int32_t units = kUnits != 0 ? kUnits : layout.units;
  const int32_t* bias = reinterpret_cast<const int32_t*>(data + layout.Bias(0));
  const Columns kernel(data + layout.Kernel(0, 0), units, layout.inputs);
  const int32_t largest = static_cast<int32_t>((uint32_t(1) << (30 - shift)) - 1);
  const __m128i left_shift = _mm_cvtsi32_si128(shift);
  Widen widen;
  for (int32_t n = 0; n < count; ++n) {
    const int16_t* values = widen.Pairs(vectors, layout.inputs);
    for (int32_t r = 0; r < units; r += kAvx2Lanes) {
      const __m256i sum = MultiplyAdd<Pairs(kInputs)>(kernel, r / kAvx2Lanes, values,
                                                      LoadLanes(bias + r, units - r));
      StoreLanes(_mm256_sll_epi32(Clamp(sum, -largest - 1, largest), left_shift), units - r,
                 products + r);
    }
    vectors += pitch;
    products += units;
  }
}

struct PixelsAsPairs {
  int16_t values[kAvx2LargestMatrix / kAvx2Lanes * kPair];

  RNNPOOL_AVX2_INLINE const int16_t* Pairs(const int8_t* pixel, int32_t count) {
    int32_t i = 0;
    for (; i + 8 <= count; i += 8) {
      const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(pixel + i));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(values + i), _mm_cvtepi8_epi16(bytes));
    }
    for (; i < count; ++i) values[i] = pixel[i];
    if (count % kPair != 0) values[count] = 0;
    return values;
  }
};

struct StatesAsPairs {
  RNNPOOL_AVX2_INLINE const int16_t* Pairs(const int16_t* states, int32_t) { return states; }
};

template <class Widen, typename Value>
inline bool ProjectAny(const WidenedLayout& layout, const int16_t* data, int32_t shift,
                       const Value* vectors, int32_t pitch, int32_t count, int32_t* products) {
  if (!HasAvx2() || !Columns::Fit(layout.units, layout.inputs)) return false;
  if (layout.units == 8 && layout.inputs == 8) {
    ProjectVectors<8, 8, Widen>(layout, data, shift, vectors, pitch, count, products);
  } else {
    ProjectVectors<0, 0, Widen>(layout, data, shift, vectors, pitch, count, products);
  }
  return true;
}

template <int32_t kUnits, GatesKind kGates>
class Stepper {
 public:
  RNNPOOL_AVX2_INLINE Stepper(const WidenedLayout& layout, const int16_t* data)
      : difference_(reinterpret_cast<const int32_t*>(data + layout.Difference(0))),
        recurrent_(data + layout.Recurrent(0, 0), layout.units, layout.units),
        units_(kUnits != 0 ? kUnits : layout.units) {}

  template <bool kFresh>
  RNNPOOL_AVX2_INLINE void Step(const int32_t* product, int16_t* state) const {
    const int32_t units = kUnits != 0 ? kUnits : units_;
    // All units read the old states before any is replaced.
    __m128i next[kUnits != 0 ? kUnits / kAvx2Lanes : kMostBlocks];
    for (int32_t r = 0; r < units; r += kAvx2Lanes) {
      __m256i gate = LoadLanes(product + r, units - r);
      if (!kFresh) {
        gate = MultiplyAdd<kUnits / kPair>(recurrent_, r / kAvx2Lanes, state, gate);
      }
      const __m256i candidate = _mm256_add_epi32(gate, LoadLanes(difference_ + r, units - r));
      next[r / kAvx2Lanes] =
          Update(MinusKeep<kGates>(gate), Candidate<kGates>(candidate),
                 kFresh ? _mm256_setzero_si256() : LoadStates(state + r, units - r));
    }
    for (int32_t r = 0; r < units; r += kAvx2Lanes) {
      StoreStates(next[r / kAvx2Lanes], units - r, state + r);
    }
  }

 private:
  const int32_t* difference_;
  Columns recurrent_;
  int32_t units_;
};

template <int32_t kUnits, GatesKind kGates>
RNNPOOL_AVX2 void Walk(const WidenedLayout& layout, const int16_t* data, const int32_t* products,
                       const SequenceBatch& batch, int16_t* states) {
  const Stepper<kUnits, kGates> stepper(layout, data);
  WalkAbreast(stepper, StatePitch(kUnits != 0 ? kUnits : layout.units), products, batch, states);
}

template <GatesKind kGates>
void WalkAny(const WidenedLayout& layout, const int16_t* data, const int32_t* products,
             const SequenceBatch& batch, int16_t* states) {
  switch (layout.units) {
    case 8:
      return Walk<8, kGates>(layout, data, products, batch, states);
    case 16:
      return Walk<16, kGates>(layout, data, products, batch, states);
    default:
      return Walk<0, kGates>(layout, data, products, batch, states);
  }
}

}  // namespace

bool Avx2Project(const WidenedLayout& layout, const int16_t* data, int32_t shift,
                 const int8_t* pixels, int32_t pitch, int32_t count, int32_t* products) {
  return ProjectAny<PixelsAsPairs>(layout, data, shift, pixels, pitch, count, products);
}

bool Avx2Project(const WidenedLayout& layout, const int16_t* data, int32_t shift,
                 const int16_t* states, int32_t pitch, int32_t count, int32_t* products) {
  return ProjectAny<StatesAsPairs>(layout, data, shift, states, pitch, count, products);
}

bool Avx2Sequences(const WidenedLayout& layout, const int16_t* data, GatesKind gates,
                   const int32_t* products, const SequenceBatch& batch, int16_t* states) {
  if (!HasAvx2() || !Columns::Fit(layout.units, layout.units)) return false;
  if (gates == GatesKind::kSmooth) {
    WalkAny<GatesKind::kSmooth>(layout, data, products, batch, states);
  } else {
    WalkAny<GatesKind::kPiecewiseLinear>(layout, data, products, batch, states);
  }
  return true;
}

}  // namespace rnnpool

#endif  // RNNPOOL_USE_AVX2
