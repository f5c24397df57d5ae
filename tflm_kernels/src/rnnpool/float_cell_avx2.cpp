#include "rnnpool/float_cell_avx2.h"

#if RNNPOOL_USE_AVX2

namespace rnnpool {
namespace {

const int32_t kMostBlocks = 6;  // 7 blocks of units would not fit Columns

// A matrix [rows][count] as [block][count][lane], rows being lanes.
struct Columns {
  Columns(const float* matrix, int32_t rows, int32_t columns) : count(columns) {
    for (int32_t r = 0; r < Avx2Blocks(rows) * kAvx2Lanes; ++r) {
      float* column = lanes + r / kAvx2Lanes * count * kAvx2Lanes + r % kAvx2Lanes;
      for (int32_t i = 0; i < count; ++i) {
        column[i * kAvx2Lanes] = r < rows ? matrix[r * count + i] : 0.0f;
      }
    }
  }

  static bool Fit(int32_t rows, int32_t columns) {
    return static_cast<int64_t>(Avx2Blocks(rows)) * kAvx2Lanes * columns <= kAvx2LargestMatrix;
  }

  int32_t count;
  float lanes[kAvx2LargestMatrix];
};

// (block of rows) * values
template <int32_t kCount>
RNNPOOL_AVX2_INLINE __m256 Multiply(const Columns& columns, int32_t block, const float* values) {
  const int32_t count = kCount != 0 ? kCount : columns.count;
  const float* lanes = columns.lanes + block * count * kAvx2Lanes;
  __m256 sum = _mm256_setzero_ps();
  for (int32_t i = 0; i < count; ++i) {
    sum = _mm256_fmadd_ps(_mm256_loadu_ps(lanes + i * kAvx2Lanes), _mm256_set1_ps(values[i]), sum);
  }
  return sum;
}

// Dense arrays; `left` is how many elements are left.
RNNPOOL_AVX2_INLINE __m256 LoadLanes(const float* from, int32_t left) {
  return left >= kAvx2Lanes ? _mm256_loadu_ps(from) : _mm256_maskload_ps(from, FirstLanes(left));
}

RNNPOOL_AVX2_INLINE void StoreLanes(__m256 lanes, int32_t left, float* to) {
  if (left >= kAvx2Lanes) {
    _mm256_storeu_ps(to, lanes);
  } else {
    _mm256_maskstore_ps(to, FirstLanes(left), lanes);
  }
}

// exp(x) - 1 for |x| <= 87, with a relative error below 2e-7, close to 0 too.
//   x = n ln 2 + r, |r| <= ln 2 / 2;  e^x - 1 = 2^n (e^r - 1) + (2^n - 1)
//   e^r - 1 = r + r^2 Q(r), Q fitted for the least relative error of the whole, 1.4e-8
RNNPOOL_AVX2_INLINE __m256 ExpMinusOne(__m256 x) {
  const __m256 n = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.44269504f)),
                                   _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  // ln 2 in two parts; n times the first is exact.
  __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375f), x);
  r = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4f), r);
  __m256 q = _mm256_set1_ps(0.00138824f);
  q = _mm256_fmadd_ps(q, r, _mm256_set1_ps(0.00836665f));
  q = _mm256_fmadd_ps(q, r, _mm256_set1_ps(0.0416672f));
  q = _mm256_fmadd_ps(q, r, _mm256_set1_ps(0.16666543f));
  q = _mm256_fmadd_ps(q, r, _mm256_set1_ps(0.49999998f));
  const __m256 p = _mm256_fmadd_ps(_mm256_mul_ps(r, r), q, r);
  const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  const __m256 power = _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
  return _mm256_fmadd_ps(power, p, _mm256_sub_ps(power, _mm256_set1_ps(1.0f)));
}

const float kExpLimit = 87.0f;

// Not-a-numbers pass: minimum and maximum return their second operand for them.
RNNPOOL_AVX2_INLINE __m256 Sigmoid(__m256 x) {
  __m256 minus = _mm256_sub_ps(_mm256_setzero_ps(), x);
  minus = _mm256_min_ps(_mm256_set1_ps(kExpLimit), minus);
  minus = _mm256_max_ps(_mm256_set1_ps(-kExpLimit), minus);
  return _mm256_div_ps(_mm256_set1_ps(1.0f),
                       _mm256_add_ps(_mm256_set1_ps(2.0f), ExpMinusOne(minus)));
}

// With e = exp(-2|x|) - 1: tanh |x| = -e / (2 + e).
RNNPOOL_AVX2_INLINE __m256 Tanh(__m256 x) {
  const __m256 sign_bit = _mm256_set1_ps(-0.0f);
  const __m256 minus = _mm256_or_ps(_mm256_add_ps(x, x), sign_bit);
  const __m256 e = ExpMinusOne(_mm256_max_ps(_mm256_set1_ps(-kExpLimit), minus));
  const __m256 ratio = _mm256_div_ps(e, _mm256_add_ps(_mm256_set1_ps(2.0f), e));
  return _mm256_or_ps(_mm256_andnot_ps(sign_bit, ratio), _mm256_and_ps(sign_bit, x));
}

RNNPOOL_AVX2_INLINE __m256 Clip(__m256 x, float smallest, float largest) {
  return _mm256_min_ps(_mm256_set1_ps(largest), _mm256_max_ps(_mm256_set1_ps(smallest), x));
}

struct SmoothGates {
  static RNNPOOL_AVX2_INLINE __m256 Gate(__m256 x) { return Sigmoid(x); }
  static RNNPOOL_AVX2_INLINE __m256 Candidate(__m256 x) { return Tanh(x); }
};

struct PiecewiseLinearGates {
  static RNNPOOL_AVX2_INLINE __m256 Gate(__m256 x) {
    x = _mm256_add_ps(x, _mm256_set1_ps(1.0f));
    return Clip(_mm256_mul_ps(x, _mm256_set1_ps(0.5f)), 0.0f, 1.0f);
  }
  static RNNPOOL_AVX2_INLINE __m256 Candidate(__m256 x) { return Clip(x, -1.0f, 1.0f); }
};

template <int32_t kUnits, int32_t kInputs>
RNNPOOL_AVX2 void ProjectVectors(const FloatCell& cell, const float* vectors, int32_t pitch,
                                 int32_t count, float* products) {
  const int32_t units = kUnits != 0 ? kUnits : cell.units;
  const Columns kernel(cell.kernel, units, cell.inputs);
  for (int32_t n = 0; n < count; ++n) {
    for (int32_t r = 0; r < units; r += kAvx2Lanes) {
      StoreLanes(Multiply<kInputs>(kernel, r / kAvx2Lanes, vectors), units - r, products + r);
    }
    vectors += pitch;
    products += units;
  }
}

template <int32_t kUnits, class Gates>
class Stepper {
 public:
  RNNPOOL_AVX2_INLINE explicit Stepper(const FloatCell& cell)
      : cell_(cell), recurrent_(cell.recurrent, cell.units, cell.units) {}

  template <bool kFresh>
  RNNPOOL_AVX2_INLINE void Step(const float* product, float* state) const {
    const int32_t units = kUnits != 0 ? kUnits : cell_.units;
    // All units read the old states before any is replaced.
    __m256 next[kUnits != 0 ? kUnits / kAvx2Lanes : kMostBlocks];
    for (int32_t r = 0; r < units; r += kAvx2Lanes) {
      __m256 a = LoadLanes(product + r, units - r);
      __m256 old = _mm256_setzero_ps();
      if (!kFresh) {
        a = _mm256_add_ps(a, Multiply<kUnits>(recurrent_, r / kAvx2Lanes, state));
        old = LoadLanes(state + r, units - r);
      }
      next[r / kAvx2Lanes] = Update(a, old, r, units - r);
    }
    for (int32_t r = 0; r < units; r += kAvx2Lanes) {
      StoreLanes(next[r / kAvx2Lanes], units - r, state + r);
    }
  }

 private:
  RNNPOOL_AVX2_INLINE __m256 Update(__m256 a, __m256 old, int32_t r, int32_t left) const {
    const __m256 gate = Gates::Gate(_mm256_add_ps(a, LoadLanes(cell_.bias_gate + r, left)));
    const __m256 candidate =
        Gates::Candidate(_mm256_add_ps(a, LoadLanes(cell_.bias_update + r, left)));
    const __m256 rest = _mm256_sub_ps(_mm256_set1_ps(1.0f), gate);
    const __m256 share =
        _mm256_fmadd_ps(_mm256_set1_ps(cell_.zeta), rest, _mm256_set1_ps(cell_.nu));
    return _mm256_fmadd_ps(gate, old, _mm256_mul_ps(share, candidate));
  }

  const FloatCell& cell_;
  Columns recurrent_;
};

template <int32_t kUnits, class Gates>
RNNPOOL_AVX2 void Walk(const FloatCell& cell, const float* products, const SequenceBatch& batch,
                       float* states) {
  const Stepper<kUnits, Gates> stepper(cell);
  WalkAbreast(stepper, StatePitch(kUnits != 0 ? kUnits : cell.units), products, batch, states);
}

template <class Gates>
void WalkAny(const FloatCell& cell, const float* products, const SequenceBatch& batch,
             float* states) {
  switch (cell.units) {
    case 8:
      return Walk<8, Gates>(cell, products, batch, states);
    case 16:
      return Walk<16, Gates>(cell, products, batch, states);
    default:
      return Walk<0, Gates>(cell, products, batch, states);
  }
}

}  // namespace

bool Avx2Project(const FloatCell& cell, const float* vectors, int32_t pitch, int32_t count,
                 float* products) {
  if (!HasAvx2() || !Columns::Fit(cell.units, cell.inputs)) return false;
  if (cell.units == 8 && cell.inputs == 8) {
    ProjectVectors<8, 8>(cell, vectors, pitch, count, products);
  } else {
    ProjectVectors<0, 0>(cell, vectors, pitch, count, products);
  }
  return true;
}

bool Avx2Sequences(const FloatCell& cell, const float* products, const SequenceBatch& batch,
                   float* states) {
  if (!HasAvx2() || !Columns::Fit(cell.units, cell.units)) return false;
  if (cell.gates == GatesKind::kSmooth) {
    WalkAny<SmoothGates>(cell, products, batch, states);
  } else {
    WalkAny<PiecewiseLinearGates>(cell, products, batch, states);
  }
  return true;
}

}  // namespace rnnpool

#endif  // RNNPOOL_USE_AVX2
