// The portable core as a C interface, for Python's ctypes and for the tests.
//
// Arrays are dense, in the layouts of rnnpool/rnnpool_core.h; padding is 0 valid, 1 same,
// 2 replicate; gates are 0 smooth, 1 piecewise linear. Functions return 0, or 1 with a sentence in
// `error`.

#include <stdint.h>
#include <string.h>

#include <vector>

#include "c_api.h"
#include "rnnpool/options.h"
#include "rnnpool/rnnpool_core.h"

using c_api::Buffer;
using c_api::Fail;

namespace {

rnnpool::LayerSpec Map(int h, int w, int k, int ph, int pw, int sh, int sw, int padding) {
  rnnpool::LayerSpec map;
  map.height = h;
  map.width = w;
  map.channels = k;
  map.geometry.pool_height = ph;
  map.geometry.pool_width = pw;
  map.geometry.stride_height = sh;
  map.geometry.stride_width = sw;
  // An unknown number must reach the core as an unknown padding, not as its lowest byte.
  map.geometry.padding = static_cast<rnnpool::Padding>(padding < 0 || padding > 2 ? 255 : padding);
  return map;
}

rnnpool::GatesKind Gates(int gates) { return static_cast<rnnpool::GatesKind>(gates); }

rnnpool::Int8CellWeights Int8Weights(int inputs, int units, int gates, const int8_t* W,
                                     const float* W_scales, int n_W_scales, const int8_t* U,
                                     const float* U_scales, int n_U_scales, const int32_t* bg,
                                     const int32_t* bu, const int64_t* packed) {
  const size_t W_bytes = packed == nullptr ? 0 : static_cast<size_t>(packed[0]);
  const size_t U_bytes = packed == nullptr ? 0 : static_cast<size_t>(packed[1]);
  return {inputs, units, {W, W_scales, n_W_scales, W_bytes}, {U, U_scales, n_U_scales, U_bytes},
          bg, bu, Gates(gates)};
}

// Those of cell 2.
const int64_t* Second(const int64_t* packed) { return packed == nullptr ? nullptr : packed + 2; }

}  // namespace

// n maps x [n][h][w][k] of int8 with scale sx and zero point zx; out [n][out_h][out_w][4 h2].
// Per cell: W [units][inputs], U [units][units], 1 or `units` scales each, biases in Q26. packed [4]:
// bytes of W1, U1, W2 and U2 that are packed (rnnpool/int8_packed.h), 0 for dense ones; nullptr: all
// are dense.
RNNPOOL_API int rnnpool_core_int8(const int8_t* x, int n, int h, int w, int k, float sx, int zx,
                                  int ph, int pw, int sh, int sw, int padding, int gates, int h1,
                                  int h2, const int64_t* packed, const int8_t* W1,
                                  const float* W1_scales, int n_W1_scales,
                                  const int8_t* U1, const float* U1_scales, int n_U1_scales,
                                  const int32_t* bg1, const int32_t* bu1, const int8_t* W2,
                                  const float* W2_scales, int n_W2_scales, const int8_t* U2,
                                  const float* U2_scales, int n_U2_scales, const int32_t* bg2,
                                  const int32_t* bu2, int8_t* out, char* error, int error_len) {
  const rnnpool::Int8Spec spec = {
      Map(h, w, k, ph, pw, sh, sw, padding), sx, zx,
      Int8Weights(k, h1, gates, W1, W1_scales, n_W1_scales, U1, U1_scales, n_U1_scales, bg1, bu1,
                  packed),
      Int8Weights(h1, h2, gates, W2, W2_scales, n_W2_scales, U2, U2_scales, n_U2_scales, bg2, bu2,
                  Second(packed))};
  rnnpool::Int8Plan plan;
  const char* sentence = rnnpool::PlanInt8(spec, &plan);
  if (sentence != nullptr) return Fail(sentence, error, error_len);
  Buffer persistent(plan.persistent_bytes);
  Buffer scratch(plan.scratch.bytes);
  rnnpool::Int8Layer layer;
  rnnpool::BuildInt8(spec, plan, persistent.get(), &layer);
  rnnpool::RunInt8(layer, n, x, out, scratch.get());
  return 0;
}

// What a layer needs: plan [4] = form of cell 1 and of cell 2 (0 widened, 1 compact), persistent
// bytes, scratch bytes. Arguments as for rnnpool_core_int8.
RNNPOOL_API int rnnpool_core_int8_plan(int h, int w, int k, float sx, int zx, int ph, int pw,
                                       int sh, int sw, int padding, int gates, int h1, int h2,
                                       const int64_t* packed, const int8_t* W1,
                                       const float* W1_scales, int n_W1_scales,
                                       const int8_t* U1, const float* U1_scales, int n_U1_scales,
                                       const int32_t* bg1, const int32_t* bu1, const int8_t* W2,
                                       const float* W2_scales, int n_W2_scales, const int8_t* U2,
                                       const float* U2_scales, int n_U2_scales, const int32_t* bg2,
                                       const int32_t* bu2, int64_t* plan_out, char* error,
                                       int error_len) {
  const rnnpool::Int8Spec spec = {
      Map(h, w, k, ph, pw, sh, sw, padding), sx, zx,
      Int8Weights(k, h1, gates, W1, W1_scales, n_W1_scales, U1, U1_scales, n_U1_scales, bg1, bu1,
                  packed),
      Int8Weights(h1, h2, gates, W2, W2_scales, n_W2_scales, U2, U2_scales, n_U2_scales, bg2, bu2,
                  Second(packed))};
  rnnpool::Int8Plan plan;
  const char* sentence = rnnpool::PlanInt8(spec, &plan);
  if (sentence != nullptr) return Fail(sentence, error, error_len);
  plan_out[0] = static_cast<int64_t>(plan.cell1.form);
  plan_out[1] = static_cast<int64_t>(plan.cell2.form);
  plan_out[2] = static_cast<int64_t>(plan.persistent_bytes);
  plan_out[3] = static_cast<int64_t>(plan.scratch.bytes);
  return 0;
}

// As rnnpool_core_int8, in float32. zeta_nu [4]: zeta and nu of cell 1, then of cell 2, after the
// sigmoid; nullptr: 1 and 0.
RNNPOOL_API int rnnpool_core_float(const float* x, int n, int h, int w, int k, int ph, int pw,
                                   int sh, int sw, int padding, int gates, int h1, int h2,
                                   const float* W1, const float* U1, const float* bg1,
                                   const float* bu1, const float* W2, const float* U2,
                                   const float* bg2, const float* bu2, const float* zeta_nu, float* out, char* error,
                                   int error_len) {
  const float fixed[4] = {1.0f, 0.0f, 1.0f, 0.0f};
  if (zeta_nu == nullptr) zeta_nu = fixed;
  const rnnpool::FloatSpec spec = {
      Map(h, w, k, ph, pw, sh, sw, padding),
      {k, h1, W1, U1, bg1, bu1, zeta_nu[0], zeta_nu[1], Gates(gates)},
      {h1, h2, W2, U2, bg2, bu2, zeta_nu[2], zeta_nu[3], Gates(gates)}};
  rnnpool::FloatLayer layer;
  const char* sentence = rnnpool::PlanFloat(spec, &layer);
  if (sentence != nullptr) return Fail(sentence, error, error_len);
  Buffer scratch(layer.scratch.bytes);
  rnnpool::RunFloat(layer, n, x, out, scratch.get());
  return 0;
}

// One float cell over one sequence x [steps][inputs]; states [steps][units] after every step.
RNNPOOL_API int rnnpool_core_float_cell(const float* x, int steps, int inputs, int units,
                                        const float* W, const float* U, const float* bg,
                                        const float* bu, float zeta, float nu, int gates,
                                        float* states) {
  const rnnpool::FloatCell cell = {inputs, units, W, U, bg, bu, zeta, nu, Gates(gates)};
  std::vector<float> products(static_cast<size_t>(steps) * units);
  std::vector<float> state(units);
  std::vector<float> workspace(units);
  cell.Project(x, inputs, steps, products.data(), nullptr);
  for (int t = 0; t < steps; ++t) {
    const rnnpool::SequenceBatch one_step = {units, 1, 0, 1, t == 0};
    cell.Sequences(products.data() + t * units, one_step, state.data(), workspace.data());
    memcpy(states + t * units, state.data(), units * sizeof(float));
  }
  return 0;
}

// The operator's options. values [7] = pool height, pool width, stride height, stride width,
// padding, version, gates.
RNNPOOL_API int rnnpool_core_parse_options(const uint8_t* data, int64_t size, int32_t* values,
                                           char* error, int error_len) {
  rnnpool::RnnPoolOptions options;
  char text[rnnpool::kOptionsErrorSize];
  const char* sentence = rnnpool::ParseOptions(data, static_cast<size_t>(size), &options, text);
  if (sentence != nullptr) return Fail(sentence, error, error_len);
  values[0] = options.geometry.pool_height;
  values[1] = options.geometry.pool_width;
  values[2] = options.geometry.stride_height;
  values[3] = options.geometry.stride_width;
  values[4] = static_cast<int32_t>(options.geometry.padding);
  values[5] = options.version;
  values[6] = static_cast<int32_t>(options.gates);
  return 0;
}
