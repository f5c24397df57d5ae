#include "rnnpool/requantize.h"

namespace rnnpool {
namespace {

int64_t Magnitude(int64_t value) { return value < 0 ? -value : value; }

}  // namespace

const char* CheckTable(const ChannelTable& table, int32_t channels, const WeightView& weights) {
  for (int32_t c = 0; c < channels; ++c) {
    const int32_t multiplier = table.multiplier[c];
    if (multiplier != 0 && multiplier < (1 << 30)) {
      return "A channel's multiplier must be 0 or in 2^30..2^31-1.";
    }
    const int32_t shift = table.shift[c];
    if (shift < -31 || shift > 30) return "A channel's shift must be in -31..30.";

    const int8_t* weight = weights.data + static_cast<int64_t>(c) * weights.channel_pitch;
    int64_t largest = 0;
    for (int32_t i = 0; i < weights.count; ++i) {
      largest += Magnitude(weight[static_cast<int64_t>(i) * weights.weight_pitch]);
    }
    largest = 128 * largest + Magnitude(table.bias[c]);
    if (largest > INT32_MAX >> (shift > 0 ? shift : 0)) {
      return "A channel's accumulator may overflow: its bias, weights or shift are too large.";
    }
  }
  return nullptr;
}

bool HasShortForm(const ChannelTable& table, int32_t channels, int32_t weights_per_channel) {
  const int64_t products = int64_t(weights_per_channel) * (128 * 128);
  for (int32_t c = 0; c < channels; ++c) {
    if (products + Magnitude(table.bias[c]) >= int64_t(1) << 30) return false;
    if (table.shift[c] > 0 || (table.shift[c] == 0 && table.multiplier[c] != 0)) return false;
  }
  return true;
}

const char* CheckRange(const OutputRange& range) {
  if (range.zero_point < -128 || range.zero_point > 127) {
    return "A zero point must be in -128..127.";
  }
  if (range.min < -128 || range.max > 127 || range.min > range.max) {
    return "An activation's range must lie in -128..127.";
  }
  return nullptr;
}

}  // namespace rnnpool
