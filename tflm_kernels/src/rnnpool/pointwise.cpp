// The portable pointwise convolution.

#include "rnnpool/pointwise.h"

#include "rnnpool/convolutions_avx2.h"
#include "rnnpool/portable_loops.h"

namespace rnnpool {

const char* CheckPointwise(const Pointwise& layer) {
  if (layer.inputs < 1 || layer.outputs < 1) return "Channels must be at least 1.";
  if (layer.inputs > INT32_MAX / 4 - 4 || layer.outputs > INT32_MAX / layer.inputs) {
    return "A 1x1 convolution is too large: its weights would exceed 2 GiB.";
  }
  const char* error = CheckRange(layer.range);
  if (error != nullptr) return error;
  const WeightView weights = {layer.weights, layer.inputs, layer.inputs, 1};
  return CheckTable(layer.table, layer.outputs, weights);
}

void FindShortForm(Pointwise* layer) {
  layer->table.short_form = HasShortForm(layer->table, layer->outputs, layer->inputs);
}

size_t PointwiseWorkspace(const Pointwise& layer) {
  const size_t pitch = (static_cast<size_t>(layer.inputs) + 3) / 4 * 4;
  return pitch * kPixelsAtOnce * sizeof(int16_t);
}

namespace {

// Four outputs of a pixel, which share its loads.
void ComputeFour(const Pointwise& layer, int32_t output, const int8_t* pixel, int8_t* results) {
  const int32_t inputs = layer.inputs;
  const int8_t* row0 = layer.weights + output * inputs;
  const int8_t* row1 = row0 + inputs;
  const int8_t* row2 = row1 + inputs;
  const int8_t* row3 = row2 + inputs;
  int32_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
  for (int32_t i = 0; i < inputs; ++i) {
    const int32_t value = pixel[i];
    sum0 += row0[i] * value;
    sum1 += row1[i] * value;
    sum2 += row2[i] * value;
    sum3 += row3[i] * value;
  }
  const int32_t sums[4] = {sum0, sum1, sum2, sum3};
  for (int32_t j = 0; j < 4; ++j) {
    results[j] =
        Requantize(sums[j] + layer.table.bias[output + j], layer.table, output + j, layer.range);
  }
}

int8_t ComputeOne(const Pointwise& layer, int32_t output, const int8_t* pixel) {
  const int8_t* row = layer.weights + output * layer.inputs;
  int32_t sum = layer.table.bias[output];
  for (int32_t i = 0; i < layer.inputs; ++i) sum += row[i] * pixel[i];
  return Requantize(sum, layer.table, output, layer.range);
}

}  // namespace

void RunPointwisePortable(const Pointwise& layer, const int8_t* pixels, int32_t count,
                          int8_t* output) {
  for (int32_t n = 0; n < count; ++n) {
    int32_t o = 0;
    for (; o + 4 <= layer.outputs; o += 4) ComputeFour(layer, o, pixels, output + o);
    for (; o < layer.outputs; ++o) output[o] = ComputeOne(layer, o, pixels);
    pixels += layer.inputs;
    output += layer.outputs;
  }
}

#if !RNNPOOL_USE_DSP

void RunPointwise(const Pointwise& layer, const int8_t* pixels, int32_t count, int8_t* output,
                  void*) {
#if RNNPOOL_USE_AVX2
  if (Avx2Pointwise(layer, pixels, count, output)) return;
#endif
  RunPointwisePortable(layer, pixels, count, output);
}

#endif  // !RNNPOOL_USE_DSP

}  // namespace rnnpool
