// RNNPool, portable: C++11 without heap, exceptions, run-time type information, mutable globals or
// any type of TensorFlow's. Runtime adapters and sketches stand on this header.
//
// The operator (Saha et al., "RNNPool", NeurIPS 2020, algorithm 1), on every patch of a map:
//   P_i = cell 1 along the patch's row i, from left to right       Q_j = cell 1 down its column j
//   output = [cell 2 over P forwards | over P backwards | over Q forwards | over Q backwards]
// Every sequence starts from h = 0 and only its last state is kept; 4 h2 channels result.
//
// Layouts, all dense, rows before columns before channels:
//   input [height][width][channels], output [out_height][out_width][4 h2], per map of a batch
//   W1 [h1][channels], U1 [h1][h1], W2 [h2][h1], U2 [h2][h2]: a row per unit
//   biases [h]: one for the gate, one for the candidate
//
// float32: zeta = 1 and nu = 0 unless given.
//
// Both cells of a layer may have piecewise linear gates instead of sigmoid and tanh (gates_kind.h).
//
// int8, equal to the last bit on every machine:
//   input   int8 with scale and zero point; padding has the zero point's value
//   weights int8 in -128..127, symmetric, a scale per tensor or per row; scales in (0, 256)
//   biases  int32 in Q26
//   states  int16 in Q15; cell 1's summaries enter cell 2 unrounded
//   output  int8 in Q7: saturate((h + 128) >> 8); scale 1/128, zero point 0
//   gates: fixed_point.h, sigmoid and tanh by table look-ups
//   W and U: int8_widened.h or int8_compact.h
// Right shifts round down; roundings in preparation go to nearest, halves away from zero.
// int8_path.h chooses between portable code and Cortex-M's DSP extension; the results are equal.
//
// Use: Plan... checks everything and tells how much memory is needed; Build... prepares weights;
// Run... computes and cannot fail. A MapSweep (map_sweep.h) takes a map one row at a time instead.
// One scratch buffer serves any number of layers that do not run at the same time.

#ifndef RNNPOOL_RNNPOOL_CORE_H_
#define RNNPOOL_RNNPOOL_CORE_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/float_cell.h"
#include "rnnpool/geometry.h"
#include "rnnpool/int8_cell.h"
#include "rnnpool/map_sweep.h"
#include "rnnpool/sweep_shape.h"

namespace rnnpool {

// What a layer is applied to.
struct LayerSpec {
  int32_t height;
  int32_t width;
  int32_t channels;
  Geometry geometry;
};

// ---- int8 ----

struct Int8Spec {
  LayerSpec map;
  float input_scale;         // in (0, 256)
  int32_t input_zero_point;  // in -128..127
  Int8CellWeights cell1;
  Int8CellWeights cell2;
};

struct Int8Layer {
  typedef int8_t Input;
  typedef int32_t Product;
  typedef int16_t State;
  typedef int8_t Output;

  SweepShape shape;
  ScratchLayout scratch;
  Int8Cell cell1;
  Int8Cell cell2;

  static void Emit(const int16_t* states, int32_t count, int32_t units, int8_t* output);
};

struct Int8Plan {
  SweepShape shape;
  ScratchLayout scratch;
  Int8CellPlan cell1;
  Int8CellPlan cell2;
  size_t persistent_bytes;  // for both cells' prepared weights
};

// Returns nullptr, or a sentence saying why this layer cannot run. Reads all weights.
const char* PlanInt8(const Int8Spec& spec, Int8Plan* plan);

// Prepares the weights in plan.persistent_bytes at `persistent` (aligned to 4 bytes). That memory
// and the model's weights and biases must outlive the layer; the scales need not.
void BuildInt8(const Int8Spec& spec, const Int8Plan& plan, void* persistent, Int8Layer* layer);

// Computes `batch` maps with layer.scratch.bytes at `scratch` (aligned to 4 bytes), whose content
// before and after does not matter.
void RunInt8(const Int8Layer& layer, int32_t batch, const int8_t* input, int8_t* output,
             void* scratch);

// ---- float32 ----

struct FloatSpec {
  LayerSpec map;
  FloatCell cell1;
  FloatCell cell2;
};

struct FloatLayer {
  typedef float Input;
  typedef float Product;
  typedef float State;
  typedef float Output;

  SweepShape shape;
  ScratchLayout scratch;
  FloatCell cell1;
  FloatCell cell2;

  static void Emit(const float* states, int32_t count, int32_t units, float* output);
};

// Returns nullptr and a layer ready to run, or a sentence. The weights must outlive the layer;
// there is nothing to prepare.
const char* PlanFloat(const FloatSpec& spec, FloatLayer* layer);

// As RunInt8.
void RunFloat(const FloatLayer& layer, int32_t batch, const float* input, float* output,
              void* scratch);

}  // namespace rnnpool

#endif  // RNNPOOL_RNNPOOL_CORE_H_
