// The fused inverted residual and its kernels as a C interface, for Python's ctypes and for tests.
//
// A stage's parameters are int32 [3][channels], as in the model file: bias with the input's zero
// point folded in, multiplier, shift (rnnpool/requantize.h).

#include <stdint.h>

#include "c_api.h"
#include "rnnpool/inverted_residual.h"

using c_api::Buffer;
using c_api::Fail;
using rnnpool::TableFromParams;

namespace {

rnnpool::OutputRange Range(const int32_t* values) { return {values[0], values[1], values[2]}; }

rnnpool::ResidualAdd Sum(int32_t x_zero_point, int32_t y_zero_point, const int32_t* values) {
  return {x_zero_point,           y_zero_point,           {values[0], values[1]},
          {values[2], values[3]}, {values[4], values[5]}, Range(values + 6)};
}

rnnpool::InvertedResidualSpec Spec(const int32_t* numbers, const int8_t* expand_weights,
                                   const int32_t* expand_params, const int8_t* filter_weights,
                                   const int32_t* filter_params, const int8_t* project_weights,
                                   const int32_t* project_params) {
  rnnpool::InvertedResidualSpec spec = {};
  spec.height = numbers[0];
  spec.width = numbers[1];
  spec.channels = numbers[2];
  spec.input_zero_point = numbers[3];
  const int32_t channels = numbers[4];
  const int32_t outputs = numbers[5];
  spec.kernel_height = numbers[6];
  spec.kernel_width = numbers[7];
  spec.stride_height = numbers[8];
  spec.stride_width = numbers[9];
  spec.pad_top = numbers[10];
  spec.pad_left = numbers[11];
  spec.out_height = numbers[12];
  spec.out_width = numbers[13];
  if (expand_weights != nullptr) {
    spec.expand = {spec.channels, channels, expand_weights,
                   TableFromParams(expand_params, channels), Range(numbers + 14)};
  }
  spec.filter = {channels, static_cast<int32_t>(int64_t(numbers[6]) * numbers[7]), filter_weights,
                 TableFromParams(filter_params, channels), Range(numbers + 17)};
  spec.project = {channels, outputs, project_weights, TableFromParams(project_params, outputs),
                  Range(numbers + 20)};
  spec.residual = numbers[23] != 0;
  spec.add = Sum(spec.input_zero_point, numbers[20], numbers + 24);
  return spec;
}

}  // namespace

// What a block needs: plan [2] = workspace bytes, pixels in the ring. Reads all weights.
//
// numbers [33]: height, width, channels and zero point of x; E; outputs; kernel height and width;
// stride height and width; pad top and left; out height and width; zero point, min and max after
// the expansion, after the depthwise convolution and after the projection; residual 0 or 1; the
// sum's x multiplier and shift, y multiplier and shift, multiplier and shift, zero point, min, max.
// Without expansion expand_weights and expand_params are null and E is x's channels.
RNNPOOL_API int rnnpool_inverted_residual_plan(
    const int32_t* numbers, const int8_t* expand_weights, const int32_t* expand_params,
    const int8_t* filter_weights, const int32_t* filter_params, const int8_t* project_weights,
    const int32_t* project_params, int64_t* plan, char* error, int error_len) {
  rnnpool::InvertedResidual layer;
  const char* sentence =
      rnnpool::PlanInvertedResidual(Spec(numbers, expand_weights, expand_params, filter_weights,
                                         filter_params, project_weights, project_params),
                                    &layer);
  if (sentence != nullptr) return Fail(sentence, error, error_len);
  plan[0] = static_cast<int64_t>(layer.workspace_bytes);
  plan[1] = layer.ring_pixels;
  return 0;
}

// Computes `batch` maps. y may overlap x as rnnpool/inverted_residual.h allows.
RNNPOOL_API int rnnpool_inverted_residual_run(
    const int32_t* numbers, const int8_t* expand_weights, const int32_t* expand_params,
    const int8_t* filter_weights, const int32_t* filter_params, const int8_t* project_weights,
    const int32_t* project_params, int batch, const int8_t* x, int8_t* y, char* error,
    int error_len) {
  rnnpool::InvertedResidual layer;
  const char* sentence =
      rnnpool::PlanInvertedResidual(Spec(numbers, expand_weights, expand_params, filter_weights,
                                         filter_params, project_weights, project_params),
                                    &layer);
  if (sentence != nullptr) return Fail(sentence, error, error_len);
  Buffer workspace(layer.workspace_bytes);
  rnnpool::RunInvertedResidual(layer, batch, x, y, workspace.get());
  return 0;
}

// pixels [count][inputs], weights [outputs][inputs], range [3] = zero point, min, max ->
// y [count][outputs].
RNNPOOL_API int rnnpool_pointwise(const int8_t* pixels, int count, int inputs, int outputs,
                                  const int8_t* weights, const int32_t* params,
                                  const int32_t* range, int8_t* y, char* error, int error_len) {
  const rnnpool::Pointwise layer = {inputs, outputs, weights, TableFromParams(params, outputs),
                                    Range(range)};
  const char* sentence = rnnpool::CheckPointwise(layer);
  if (sentence != nullptr) return Fail(sentence, error, error_len);
  Buffer workspace(rnnpool::PointwiseWorkspace(layer));
  rnnpool::RunPointwise(layer, pixels, count, y, workspace.get());
  return 0;
}

// pixels [taps][channels], weights [taps][channels] -> y [channels].
RNNPOOL_API int rnnpool_depthwise(const int8_t* pixels, int taps, int channels,
                                  const int8_t* weights, const int32_t* params,
                                  const int32_t* range, int8_t* y, char* error, int error_len) {
  const rnnpool::Depthwise layer = {channels, taps, weights, TableFromParams(params, channels),
                                    Range(range)};
  const char* sentence = rnnpool::CheckDepthwise(layer);
  if (sentence != nullptr) return Fail(sentence, error, error_len);
  std::vector<const int8_t*> pointers;
  for (int t = 0; t < taps; ++t) pointers.push_back(pixels + static_cast<int64_t>(t) * channels);
  rnnpool::RunDepthwise(layer, pointers.data(), y);
  return 0;
}

// numbers [9]: as the last 9 of a block's. output [count] may be x or y.
RNNPOOL_API int rnnpool_residual_add(const int8_t* x, int x_zero_point, const int8_t* y,
                                     int y_zero_point, int64_t count, const int32_t* numbers,
                                     int8_t* output, char* error, int error_len) {
  const rnnpool::ResidualAdd layer = Sum(x_zero_point, y_zero_point, numbers);
  const char* sentence = rnnpool::CheckResidualAdd(layer);
  if (sentence != nullptr) return Fail(sentence, error, error_len);
  rnnpool::RunResidualAdd(layer, x, y, static_cast<int32_t>(count), output);
  return 0;
}

// results[i] of values[i], each with a multiplier and shift of its own.
RNNPOOL_API void rnnpool_multiply_by_quantized_multiplier(const int32_t* values, int64_t count,
                                                          const int32_t* multipliers,
                                                          const int32_t* shifts, int32_t* results) {
  for (int64_t i = 0; i < count; ++i) {
    results[i] = rnnpool::MultiplyByQuantizedMultiplier(values[i], multipliers[i], shifts[i]);
  }
}
