// From the int32 accumulators of an int8 convolution to its int8 output, rounded twice exactly as
// TensorFlow Lite's reference kernels do (and those of TensorFlow Lite Micro).
//
//   scaled = round(acc * 2^left * multiplier / 2^31)      to nearest, halves upwards
//   scaled = round(scaled / 2^right)                      to nearest, halves away from zero
//   output = clamp(scaled + zero_point, min, max)
// where left = shift and right = 0 for a positive shift, left = 0 and right = -shift otherwise.
//
// An output channel's accumulator is bias + sum of weight * x over plain int8 inputs: the input's
// zero point is folded into the bias, bias = original bias - zero_point * (sum of the weights), so
// a tap outside the map must have the zero point as its value.

#ifndef RNNPOOL_REQUANTIZE_H_
#define RNNPOOL_REQUANTIZE_H_

#include <stddef.h>
#include <stdint.h>

namespace rnnpool {

// Constants of one convolution's output channels, [channels] each and aligned to 4 bytes.
struct ChannelTable {
  const int32_t* bias;        // with the input's zero point folded in
  const int32_t* multiplier;  // 0 or 2^30..2^31-1
  const int32_t* shift;       // -31..30
  // HasShortForm; false where nobody has asked. Only the DSP path's speed depends on it.
  bool short_form;
};

// Of an int8 tensor; -128 <= min <= max <= 127, zero_point in -128..127.
struct OutputRange {
  int32_t zero_point;
  int32_t min;
  int32_t max;
};

// The table in a model file's params, [3][channels].
inline ChannelTable TableFromParams(const int32_t* params, int32_t channels) {
  const ChannelTable table = {params, params + channels,
                              params + 2 * static_cast<ptrdiff_t>(channels), false};
  return table;
}

// round(value * multiplier / 2^31), halves upwards. Needs multiplier >= 0; |result| <= |value|.
// Rounding down after adding half is what TensorFlow Lite's nudge by sign and truncation come to.
inline int32_t MultiplyHigh(int32_t value, int32_t multiplier) {
  const int64_t product = static_cast<int64_t>(value) * multiplier;
  return static_cast<int32_t>((product + (int64_t(1) << 30)) >> 31);
}

// round(value / 2^bits), halves away from zero; bits in 0..31.
inline int32_t DivideByPowerOfTwo(int32_t value, int32_t bits) {
  const int32_t mask = static_cast<int32_t>((uint32_t(1) << bits) - 1);
  const int32_t threshold = (mask >> 1) + (value < 0 ? 1 : 0);
  return (value >> bits) + ((value & mask) > threshold ? 1 : 0);
}

// Needs |value| * 2^shift < 2^31 where shift is positive.
inline int32_t MultiplyByQuantizedMultiplier(int32_t value, int32_t multiplier, int32_t shift) {
  const int32_t left = shift > 0 ? shift : 0;
  const int32_t right = shift > 0 ? 0 : -shift;
  const int32_t shifted = static_cast<int32_t>(static_cast<uint32_t>(value) << left);
  return DivideByPowerOfTwo(MultiplyHigh(shifted, multiplier), right);
}

// Clamps before it adds the zero point, so that the sum cannot overflow.
inline int8_t ClampToRange(int32_t scaled, const OutputRange& range) {
  const int32_t min = range.min - range.zero_point;
  const int32_t max = range.max - range.zero_point;
  const int32_t clamped = scaled < min ? min : scaled > max ? max : scaled;
  return static_cast<int8_t>(clamped + range.zero_point);
}

inline int8_t Requantize(int32_t accumulator, const ChannelTable& table, int32_t channel,
                         const OutputRange& range) {
  return ClampToRange(
      MultiplyByQuantizedMultiplier(accumulator, table.multiplier[channel], table.shift[channel]),
      range);
}

// The weights of a convolution as CheckTable walks over them: weight i of channel c is
// data[c * channel_pitch + i * weight_pitch].
struct WeightView {
  const int8_t* data;
  int32_t count;  // per output channel
  int32_t channel_pitch;
  int32_t weight_pitch;
};

// Reads a table and its weights. Returns nullptr if every entry is in its range and no input, nor
// any order of summation, can make an accumulator overflow:
//   (|bias| + 128 * sum |weight|) * 2^(positive shift) < 2^31
// or a sentence.
const char* CheckTable(const ChannelTable& table, int32_t channels, const WeightView& weights);

// Whether the DSP path may requantise all channels of a checked table with the short sequence of
// dsp_convolutions.h: every accumulator stays below 2^30, and every shift is negative (or the
// multiplier is 0 and the shift not positive). So it is unless a weight is unusually large.
bool HasShortForm(const ChannelTable& table, int32_t channels, int32_t weights_per_channel);

// Returns nullptr or a sentence.
const char* CheckRange(const OutputRange& range);

}  // namespace rnnpool

#endif  // RNNPOOL_REQUANTIZE_H_
