#include <string.h>

#include "arena.h"
#include "case_cells.h"
#include "cases.h"
#include "measure.h"
#include "rnnpool/conv_pool.h"

namespace cortex_m {
namespace {

rnnpool::ConvPoolSpec Spec(const Case& layer) {
  const FusedCase& fused = *layer.fused;
  rnnpool::ConvPoolSpec spec = {};
  spec.height = layer.height;
  spec.width = layer.width;
  spec.channels = layer.channels;
  spec.zero_point = layer.input_zero_point;
  spec.count = fused.count;
  for (int32_t i = 0; i < fused.count; ++i) spec.convolutions[i] = fused.stages[i];
  spec.geometry = layer.geometry;
  spec.pool_scale = layer.input_scale;
  spec.cell1 = Weights(layer.cell1, fused.stages[fused.count - 1].out_channels);
  spec.cell2 = Weights(layer.cell2, layer.cell1.units);
  return spec;
}

}  // namespace

void RunConvPool(const Case& layer, Outcome* outcome) {
  const rnnpool::ConvPoolSpec spec = Spec(layer);
  rnnpool::ConvPoolLayer* front = static_cast<rnnpool::ConvPoolLayer*>(Allocate(sizeof(*front)));
  rnnpool::ConvPoolPlan plan;
  const auto prepare = [&] {
    outcome->refusal = rnnpool::PlanConvPool(spec, rnnpool::InputRows::kResident, &plan);
    if (outcome->refusal != nullptr) return;
    rnnpool::BuildConvPool(spec, plan, Allocate(plan.persistent_bytes), front);
  };
  Measure(prepare, &outcome->prepare_instructions, &outcome->prepare_stack_bytes);
  if (outcome->refusal != nullptr) return;
  outcome->persistent_bytes = static_cast<uint32_t>(plan.persistent_bytes + sizeof(*front));
  outcome->scratch_bytes = static_cast<uint32_t>(plan.scratch.bytes);

  void* scratch = Allocate(plan.scratch.bytes);
  memset(scratch, 0xA5, plan.scratch.bytes);  // what it holds must not matter
  int8_t* output = static_cast<int8_t*>(Allocate(layer.output_elements));
  const auto run = [&] {
    rnnpool::RunConvPool(*front, layer.batch, static_cast<const int8_t*>(layer.input), output,
                         scratch);
  };
  Measure(run, &outcome->instructions, &outcome->stack_bytes);
  Sample(run);
  outcome->output = output;
}

}  // namespace cortex_m
