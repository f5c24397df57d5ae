// The depthwise convolution for Cortex-M processors with the DSP extension, four channels at a
// time.

#include "rnnpool/depthwise.h"
#include "rnnpool/int8_path.h"

#if RNNPOOL_USE_DSP

#include "rnnpool/dsp_convolutions.h"

namespace rnnpool {

void RunDepthwise(const Depthwise& layer, const int8_t* const* taps, int8_t* output) {
  const int32_t channels = layer.channels;
  if (!layer.table.short_form || channels < 4) {
    RunDepthwisePortable(layer, taps, output);
    return;
  }
  DspDepthwiseRoutine* const run = kDspDepthwise[layer.taps == 9];
  DspDepthwise dsp = {layer.table.bias,
                      layer.table.multiplier,
                      layer.table.shift,
                      layer.weights,
                      channels,
                      taps,
                      taps + layer.taps,
                      0,
                      output,
                      output + channels / 4 * 4,
                      2 * layer.range.zero_point + 1};
  run(&dsp);
  if (channels % 4 != 0) {
    // The last channels together with some that are computed once more.
    const int32_t skip = channels - 4;
    dsp.bias += skip;
    dsp.multiplier += skip;
    dsp.shift += skip;
    dsp.weights += skip;
    dsp.offset = skip;
    dsp.output = output + skip;
    dsp.output_end = output + channels;
    run(&dsp);
  }
  ClampOutput(layer.range, channels, output);
}

}  // namespace rnnpool

#endif  // RNNPOOL_USE_DSP
