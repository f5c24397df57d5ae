#include <string.h>

#include "arena.h"
#include "cases.h"
#include "measure.h"
#include "rnnpool/rnnpool_core.h"

namespace cortex_m {
namespace {

rnnpool::FloatCell Cell(const CaseCell& cell, int32_t inputs, const float* zeta_nu) {
  return {inputs,
          cell.units,
          static_cast<const float*>(cell.kernel),
          static_cast<const float*>(cell.recurrent),
          static_cast<const float*>(cell.bias_gate),
          static_cast<const float*>(cell.bias_update),
          zeta_nu == nullptr ? 1.0f : zeta_nu[0],
          zeta_nu == nullptr ? 0.0f : zeta_nu[1],
          cell.gates};
}

}  // namespace

void RunCoreFloat(const Case& layer, Outcome* outcome) {
  const rnnpool::FloatSpec spec = {
      {layer.height, layer.width, layer.channels, layer.geometry},
      Cell(layer.cell1, layer.channels, layer.zeta_nu),
      Cell(layer.cell2, layer.cell1.units, layer.zeta_nu == nullptr ? nullptr : layer.zeta_nu + 2)};
  rnnpool::FloatLayer* float32 = static_cast<rnnpool::FloatLayer*>(Allocate(sizeof(*float32)));
  const auto prepare = [&] { outcome->refusal = rnnpool::PlanFloat(spec, float32); };
  Measure(prepare, &outcome->prepare_instructions, &outcome->prepare_stack_bytes);
  if (outcome->refusal != nullptr) return;
  outcome->persistent_bytes = sizeof(*float32);
  outcome->scratch_bytes = static_cast<uint32_t>(float32->scratch.bytes);

  void* scratch = Allocate(float32->scratch.bytes);
  memset(scratch, 0xA5, float32->scratch.bytes);  // what it holds must not matter
  float* output = static_cast<float*>(Allocate(layer.output_elements * sizeof(float)));
  const auto run = [&] {
    rnnpool::RunFloat(*float32, layer.batch, static_cast<const float*>(layer.input), output,
                      scratch);
  };
  Measure(run, &outcome->instructions, &outcome->stack_bytes);
  Sample(run);
  outcome->output = output;
}

}  // namespace cortex_m
