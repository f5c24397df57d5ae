// Layers to run with what they must give. Python generates kCases (rnnpool_tf.bench.m4.cases).

#ifndef RNNPOOL_CORTEX_M_CASES_H_
#define RNNPOOL_CORTEX_M_CASES_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/conv_pool.h"
#include "rnnpool/gates_kind.h"
#include "rnnpool/geometry.h"
#include "rnnpool/residual_add.h"

namespace cortex_m {

// Element types: of pixels, weights and outputs int8 or float; of biases int32 or float.
struct CaseCell {
  int32_t units;
  const void* kernel;
  const float* kernel_scales;  // int8 only, as all scales
  int32_t kernel_scale_count;
  const void* recurrent;
  const float* recurrent_scales;
  int32_t recurrent_scale_count;
  const void* bias_gate;
  const void* bias_update;
  rnnpool::GatesKind gates;
  size_t packed_kernel;  // bytes if packed, or 0; int8 only
  size_t packed_recurrent;
};

// What a fused operator has beyond RNNPool: an inverted residual's stages with the expansion, if
// any, first; or the convolutions in front of RNNPool.
struct FusedCase {
  int32_t count;
  rnnpool::ConvolutionSpec stages[rnnpool::kMaxConvolutions];
  bool residual;
  rnnpool::ResidualAdd add;
};

struct Outcome;

struct Case {
  void (*run)(const Case& layer, Outcome* outcome);
  int32_t batch;
  int32_t height;
  int32_t width;
  int32_t channels;
  rnnpool::Geometry geometry;
  float input_scale;
  int32_t input_zero_point;
  CaseCell cell1;
  CaseCell cell2;
  const float* zeta_nu;    // [2][2], float only; null: left out
  const FusedCase* fused;  // null: RNNPool alone
  const uint8_t* options;
  size_t options_size;
  const void* input;
  const void* expected;  // null: the layer must be refused
  size_t output_elements;
  bool is_float;
};

// Whether a fused case is an inverted residual.
inline bool IsBlock(const Case& layer) { return layer.cell1.units == 0; }

extern const Case kCases[];
extern const int32_t kCaseCount;
extern const bool kSample;  // run each case a second time, under the sampler

struct Outcome {
  const char* refusal;  // null: it ran
  const void* output;
  uint32_t instructions;  // of the run; preparation excluded
  uint32_t prepare_instructions;
  uint32_t scratch_bytes;
  uint32_t persistent_bytes;  // the operator's own objects included
  uint32_t stack_bytes;       // of the run
  uint32_t prepare_stack_bytes;
};

// Ways to run a case. Only those that kCases names are linked.
void RunCoreInt8(const Case& layer, Outcome* outcome);
void RunCoreFloat(const Case& layer, Outcome* outcome);
void RunOperator(const Case& layer, Outcome* outcome);
void RunBlock(const Case& layer, Outcome* outcome);
void RunConvPool(const Case& layer, Outcome* outcome);

}  // namespace cortex_m

#endif  // RNNPOOL_CORTEX_M_CASES_H_
