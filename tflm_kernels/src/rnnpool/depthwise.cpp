// The portable depthwise convolution.

#include "rnnpool/depthwise.h"

#include "rnnpool/convolutions_avx2.h"
#include "rnnpool/portable_loops.h"

namespace rnnpool {

const char* CheckDepthwise(const Depthwise& layer) {
  if (layer.channels < 1 || layer.taps < 1) {
    return "A depthwise convolution needs at least 1 channel and 1 tap.";
  }
  if (layer.taps > INT32_MAX / layer.channels) {
    return "A depthwise convolution is too large: its weights would exceed 2 GiB.";
  }
  const char* error = CheckRange(layer.range);
  if (error != nullptr) return error;
  const WeightView weights = {layer.weights, layer.taps, 1, layer.channels};
  return CheckTable(layer.table, layer.channels, weights);
}

void FindShortForm(Depthwise* layer) {
  layer->table.short_form = HasShortForm(layer->table, layer->channels, layer->taps);
}

namespace {

// Channels whose accumulators are kept at a time; a constant, so that compilers vectorise.
const int32_t kChannelsAtOnce = 16;

void ComputeChannels(const Depthwise& layer, const int8_t* const* taps, int32_t first,
                     int32_t count, int8_t* output) {
  int32_t sums[kChannelsAtOnce];
  for (int32_t c = 0; c < count; ++c) sums[c] = layer.table.bias[first + c];
  const int8_t* weights = layer.weights + first;
  for (int32_t t = 0; t < layer.taps; ++t) {
    const int8_t* pixel = taps[t] + first;
    for (int32_t c = 0; c < count; ++c) sums[c] += weights[c] * pixel[c];
    weights += layer.channels;
  }
  for (int32_t c = 0; c < count; ++c) {
    output[first + c] = Requantize(sums[c], layer.table, first + c, layer.range);
  }
}

}  // namespace

void RunDepthwisePortable(const Depthwise& layer, const int8_t* const* taps, int8_t* output) {
  int32_t c = 0;
  for (; c + kChannelsAtOnce <= layer.channels; c += kChannelsAtOnce) {
    ComputeChannels(layer, taps, c, kChannelsAtOnce, output);
  }
  if (c < layer.channels) ComputeChannels(layer, taps, c, layer.channels - c, output);
}

#if !RNNPOOL_USE_DSP

void RunDepthwise(const Depthwise& layer, const int8_t* const* taps, int8_t* output) {
#if RNNPOOL_USE_AVX2
  if (Avx2Depthwise(layer, taps, output)) return;
#endif
  RunDepthwisePortable(layer, taps, output);
}

#endif  // !RNNPOOL_USE_DSP

}  // namespace rnnpool
