// Lanes are int32 accumulators of 8 output channels. Products are made in pairs by VPMADDWD: of
// neighbouring inputs in the pointwise convolution, of two taps in the depthwise one.

#include "rnnpool/convolutions_avx2.h"

#if RNNPOOL_USE_AVX2

#include "rnnpool/avx2.h"

namespace rnnpool {
namespace {

// ---- requantisation, as in requantize.h ----

struct Factors {
  __m256i multiplier;
  __m256i left;
  __m256i right;
};

RNNPOOL_AVX2_INLINE __m256i LoadInt32(const int32_t* values) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values));
}

RNNPOOL_AVX2_INLINE Factors FactorsOf(__m256i multiplier, __m256i shift) {
  const __m256i zero = _mm256_setzero_si256();
  const Factors factors = {multiplier, _mm256_max_epi32(shift, zero),
                           _mm256_max_epi32(_mm256_sub_epi32(zero, shift), zero)};
  return factors;
}

RNNPOOL_AVX2_INLINE Factors LoadFactors(const ChannelTable& table, int32_t channel) {
  return FactorsOf(LoadInt32(table.multiplier + channel), LoadInt32(table.shift + channel));
}

RNNPOOL_AVX2_INLINE Factors Broadcast(const AddFactor& factor) {
  return FactorsOf(_mm256_set1_epi32(factor.multiplier), _mm256_set1_epi32(factor.shift));
}

// MultiplyByQuantizedMultiplier. Of each 64-bit product, bits 31..62 are the result's.
RNNPOOL_AVX2_INLINE __m256i Scale(__m256i values, const Factors& factors) {
  values = _mm256_sllv_epi32(values, factors.left);
  const __m256i half = _mm256_set1_epi64x(int64_t(1) << 30);
  const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(values, factors.multiplier), half);
  const __m256i odd = _mm256_add_epi64(
      _mm256_mul_epi32(_mm256_srli_epi64(values, 32), _mm256_srli_epi64(factors.multiplier, 32)),
      half);
  const __m256i high =
      _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xAA);

  const __m256i one = _mm256_set1_epi32(1);
  const __m256i mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, factors.right), one);
  const __m256i threshold =
      _mm256_sub_epi32(_mm256_srli_epi32(mask, 1), _mm256_srai_epi32(high, 31));
  const __m256i above = _mm256_cmpgt_epi32(_mm256_and_si256(high, mask), threshold);
  return _mm256_sub_epi32(_mm256_srav_epi32(high, factors.right), above);
}

RNNPOOL_AVX2_INLINE void Store8(__m256i scaled, const OutputRange& range, int8_t* output) {
  scaled = _mm256_max_epi32(scaled, _mm256_set1_epi32(range.min - range.zero_point));
  scaled = _mm256_min_epi32(scaled, _mm256_set1_epi32(range.max - range.zero_point));
  scaled = _mm256_add_epi32(scaled, _mm256_set1_epi32(range.zero_point));
  const __m128i halves =
      _mm_packs_epi32(_mm256_castsi256_si128(scaled), _mm256_extracti128_si256(scaled, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(output), _mm_packs_epi16(halves, halves));
}

// 8 channels from `channel` on.
RNNPOOL_AVX2_INLINE void Requantize8(const ChannelTable& table, const OutputRange& range,
                                     int32_t channel, __m256i sums, int8_t* output) {
  const __m256i accumulators = _mm256_add_epi32(sums, LoadInt32(table.bias + channel));
  Store8(Scale(accumulators, LoadFactors(table, channel)), range, output);
}

RNNPOOL_AVX2_INLINE void RequantizeRow(const ChannelTable& table, const OutputRange& range,
                                       int32_t channel, int32_t count, const int32_t* sums,
                                       int8_t* output) {
  int32_t c = 0;
  for (; c + 8 <= count; c += 8) {
    Requantize8(table, range, channel + c, LoadInt32(sums + c), output + c);
  }
  for (; c < count; ++c) {
    output[c] = Requantize(sums[c] + table.bias[channel + c], table, channel + c, range);
  }
}

// ---- pointwise ----

// Inputs that are multiplied in one step, as int16; zeros beyond the last.
struct Load16 {
  RNNPOOL_AVX2_INLINE __m256i operator()(const int8_t* values) const {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values)));
  }
};
struct Load8 {
  RNNPOOL_AVX2_INLINE __m256i operator()(const int8_t* values) const {
    return _mm256_cvtepi8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(values)));
  }
};
// The last 1..7 of a row that has at least 8.
struct LoadLast {
  int32_t count;
  RNNPOOL_AVX2_INLINE __m256i operator()(const int8_t* values) const {
    const int8_t* eight = values + count - 8;
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(eight));
    return _mm256_cvtepi8_epi16(_mm_srl_epi64(bytes, _mm_cvtsi32_si128(8 * (8 - count))));
  }
};

template <int kPixels, int kRows, class Load>
RNNPOOL_AVX2_INLINE void Accumulate(const int8_t* weights, const int8_t* pixels, int32_t inputs,
                                    const Load& load, __m256i (*sums)[4]) {
  __m256i pixel[kPixels];
  for (int p = 0; p < kPixels; ++p) pixel[p] = load(pixels + p * inputs);
  for (int r = 0; r < kRows; ++r) {
    const __m256i weight = load(weights + r * inputs);
    for (int p = 0; p < kPixels; ++p) {
      sums[p][r] = _mm256_add_epi32(sums[p][r], _mm256_madd_epi16(weight, pixel[p]));
    }
  }
}

RNNPOOL_AVX2_INLINE __m128i AddHalves(__m256i sums) {
  return _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
}

// results[p * pitch + r] = sum of weights[r][i] pixels[p][i] for kPixels pixels and kRows <= 4
// rows, which share each other's loads. Writes 4 results per pixel.
template <int kPixels, int kRows>
RNNPOOL_AVX2_INLINE void MultiplyRows(const int8_t* weights, const int8_t* pixels, int32_t inputs,
                                      int32_t* results, int32_t pitch) {
  __m256i sums[kPixels][4];
  for (int p = 0; p < kPixels; ++p) {
    for (int r = 0; r < 4; ++r) sums[p][r] = _mm256_setzero_si256();
  }
  int32_t i = 0;
  for (; i + 16 <= inputs; i += 16) {
    Accumulate<kPixels, kRows>(weights + i, pixels + i, inputs, Load16(), sums);
  }
  if (i + 8 <= inputs) {
    Accumulate<kPixels, kRows>(weights + i, pixels + i, inputs, Load8(), sums);
    i += 8;
  }
  if (i < inputs) {
    const LoadLast load = {inputs - i};
    Accumulate<kPixels, kRows>(weights + i, pixels + i, inputs, load, sums);
  }
  for (int p = 0; p < kPixels; ++p) {
    const __m128i first = _mm_hadd_epi32(AddHalves(sums[p][0]), AddHalves(sums[p][1]));
    const __m128i second = _mm_hadd_epi32(AddHalves(sums[p][2]), AddHalves(sums[p][3]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(results + p * pitch),
                     _mm_hadd_epi32(first, second));
  }
}

// Outputs whose accumulators are kept before they are requantised.
const int32_t kOutputsAtOnce = 32;

// The outputs `first` .. `first + count - 1` of kPixels pixels.
template <int kPixels>
RNNPOOL_AVX2_INLINE void ComputeOutputs(const Pointwise& layer, const int8_t* pixels, int32_t first,
                                        int32_t count, int8_t* output) {
  int32_t sums[kPixels * kOutputsAtOnce];
  const int8_t* weights = layer.weights + first * layer.inputs;
  int32_t r = 0;
  for (; r + 4 <= count; r += 4) {
    MultiplyRows<kPixels, 4>(weights, pixels, layer.inputs, sums + r, kOutputsAtOnce);
    weights += 4 * layer.inputs;
  }
  for (; r < count; ++r) {
    int32_t four[4 * kPixels];
    MultiplyRows<kPixels, 1>(weights, pixels, layer.inputs, four, 4);
    for (int p = 0; p < kPixels; ++p) sums[p * kOutputsAtOnce + r] = four[4 * p];
    weights += layer.inputs;
  }
  for (int p = 0; p < kPixels; ++p) {
    RequantizeRow(layer.table, layer.range, first, count, sums + p * kOutputsAtOnce,
                  output + p * layer.outputs + first);
  }
}

template <int kPixels>
RNNPOOL_AVX2_INLINE void ComputePixels(const Pointwise& layer, const int8_t* pixels,
                                       int8_t* output) {
  for (int32_t first = 0; first < layer.outputs; first += kOutputsAtOnce) {
    const int32_t left = layer.outputs - first;
    ComputeOutputs<kPixels>(layer, pixels, first, left < kOutputsAtOnce ? left : kOutputsAtOnce,
                            output);
  }
}

RNNPOOL_AVX2 void RunPixels(const Pointwise& layer, const int8_t* pixels, int32_t count,
                            int8_t* output) {
  for (; count >= 2; count -= 2) {
    ComputePixels<2>(layer, pixels, output);
    pixels += 2 * layer.inputs;
    output += 2 * layer.outputs;
  }
  if (count == 1) ComputePixels<1>(layer, pixels, output);
}

// ---- depthwise ----

// Two taps' values of 8 channels, alternating.
RNNPOOL_AVX2_INLINE __m256i Interleave8(const int8_t* first, const int8_t* second) {
  const __m128i a = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(first));
  const __m128i b = second == nullptr ? _mm_setzero_si128()
                                      : _mm_loadl_epi64(reinterpret_cast<const __m128i*>(second));
  return _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(a, b));
}

// The accumulators of 8 channels from `channel` on, without bias.
RNNPOOL_AVX2_INLINE __m256i MultiplyTaps(const Depthwise& layer, const int8_t* const* taps,
                                         int32_t channel) {
  __m256i sums = _mm256_setzero_si256();
  const int8_t* weights = layer.weights + channel;
  int32_t t = 0;
  for (; t + 2 <= layer.taps; t += 2) {
    const __m256i weight = Interleave8(weights, weights + layer.channels);
    const __m256i pixel = Interleave8(taps[t] + channel, taps[t + 1] + channel);
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(weight, pixel));
    weights += 2 * layer.channels;
  }
  if (t < layer.taps) {
    const __m256i weight = Interleave8(weights, nullptr);
    const __m256i pixel = Interleave8(taps[t] + channel, nullptr);
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(weight, pixel));
  }
  return sums;
}

RNNPOOL_AVX2 void RunChannels(const Depthwise& layer, const int8_t* const* taps, int8_t* output) {
  // The last 8 may overlap those before them.
  for (int32_t c = 0; c < layer.channels; c += 8) {
    if (c + 8 > layer.channels) c = layer.channels - 8;
    Requantize8(layer.table, layer.range, c, MultiplyTaps(layer, taps, c), output + c);
  }
}

// ---- sum ----

RNNPOOL_AVX2_INLINE __m256i Rescale8(const int8_t* values, int32_t zero_point,
                                     const Factors& factors) {
  const __m256i given =
      _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(values)));
  const __m256i centred = _mm256_sub_epi32(given, _mm256_set1_epi32(zero_point));
  return Scale(_mm256_slli_epi32(centred, kAddLeftShift), factors);
}

RNNPOOL_AVX2 void AddValues(const ResidualAdd& layer, const int8_t* x, const int8_t* y,
                            int32_t count, int8_t* output) {
  const Factors x_factors = Broadcast(layer.x);
  const Factors y_factors = Broadcast(layer.y);
  const Factors sum_factors = Broadcast(layer.sum);
  for (int32_t i = 0; i < count; i += 8) {
    const __m256i sum = _mm256_add_epi32(Rescale8(x + i, layer.x_zero_point, x_factors),
                                         Rescale8(y + i, layer.y_zero_point, y_factors));
    Store8(Scale(sum, sum_factors), layer.range, output + i);
  }
}

}  // namespace

bool Avx2Pointwise(const Pointwise& layer, const int8_t* pixels, int32_t count, int8_t* output) {
  if (!HasAvx2() || layer.inputs < 8) return false;
  RunPixels(layer, pixels, count, output);
  return true;
}

bool Avx2Depthwise(const Depthwise& layer, const int8_t* const* taps, int8_t* output) {
  if (!HasAvx2() || layer.channels < 8) return false;
  RunChannels(layer, taps, output);
  return true;
}

int32_t Avx2ResidualAdd(const ResidualAdd& layer, const int8_t* x, const int8_t* y, int32_t count,
                        int8_t* output) {
  if (!HasAvx2()) return 0;
  AddValues(layer, x, y, count / 8 * 8, output);
  return count / 8 * 8;
}

}  // namespace rnnpool

#endif  // RNNPOOL_USE_AVX2
