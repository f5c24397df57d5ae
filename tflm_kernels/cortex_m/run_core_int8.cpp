#include <string.h>

#include "arena.h"
#include "case_cells.h"
#include "cases.h"
#include "measure.h"
#include "rnnpool/rnnpool_core.h"

namespace cortex_m {
void RunCoreInt8(const Case& layer, Outcome* outcome) {
  const rnnpool::Int8Spec spec = {{layer.height, layer.width, layer.channels, layer.geometry},
                                  layer.input_scale,
                                  layer.input_zero_point,
                                  Weights(layer.cell1, layer.channels),
                                  Weights(layer.cell2, layer.cell1.units)};
  rnnpool::Int8Layer* int8 = static_cast<rnnpool::Int8Layer*>(Allocate(sizeof(*int8)));
  rnnpool::Int8Plan plan;
  const auto prepare = [&] {
    outcome->refusal = rnnpool::PlanInt8(spec, &plan);
    if (outcome->refusal != nullptr) return;
    rnnpool::BuildInt8(spec, plan, Allocate(plan.persistent_bytes), int8);
  };
  Measure(prepare, &outcome->prepare_instructions, &outcome->prepare_stack_bytes);
  if (outcome->refusal != nullptr) return;
  outcome->persistent_bytes = static_cast<uint32_t>(plan.persistent_bytes + sizeof(*int8));
  outcome->scratch_bytes = static_cast<uint32_t>(plan.scratch.bytes);

  void* scratch = Allocate(plan.scratch.bytes);
  memset(scratch, 0xA5, plan.scratch.bytes);  // what it holds must not matter
  int8_t* output = static_cast<int8_t*>(Allocate(layer.output_elements));
  const auto run = [&] {
    rnnpool::RunInt8(*int8, layer.batch, static_cast<const int8_t*>(layer.input), output, scratch);
  };
  Measure(run, &outcome->instructions, &outcome->stack_bytes);
  Sample(run);
  outcome->output = output;
}

}  // namespace cortex_m
