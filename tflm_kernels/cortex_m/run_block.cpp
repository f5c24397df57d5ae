#include <string.h>

#include "arena.h"
#include "cases.h"
#include "measure.h"
#include "rnnpool/inverted_residual.h"

namespace cortex_m {
namespace {

rnnpool::InvertedResidualSpec Spec(const Case& layer) {
  const FusedCase& fused = *layer.fused;
  const rnnpool::ConvolutionSpec& filter = fused.stages[fused.count - 2];
  const rnnpool::ConvolutionSpec& project = fused.stages[fused.count - 1];
  const int32_t channels = filter.out_channels;
  rnnpool::InvertedResidualSpec spec = {};
  spec.height = layer.height;
  spec.width = layer.width;
  spec.channels = layer.channels;
  spec.input_zero_point = layer.input_zero_point;
  if (fused.count == 3) {
    const rnnpool::ConvolutionSpec& expand = fused.stages[0];
    spec.expand = {layer.channels, channels, expand.weights, expand.table, expand.range};
  }
  spec.filter = {channels, filter.kernel_height * filter.kernel_width, filter.weights, filter.table,
                 filter.range};
  spec.project = {channels, project.out_channels, project.weights, project.table, project.range};
  spec.kernel_height = filter.kernel_height;
  spec.kernel_width = filter.kernel_width;
  spec.stride_height = filter.stride_height;
  spec.stride_width = filter.stride_width;
  spec.pad_top = filter.pad_top;
  spec.pad_left = filter.pad_left;
  spec.out_height = filter.out_height;
  spec.out_width = filter.out_width;
  spec.residual = fused.residual;
  spec.add = fused.add;
  return spec;
}

}  // namespace

void RunBlock(const Case& layer, Outcome* outcome) {
  rnnpool::InvertedResidual* block =
      static_cast<rnnpool::InvertedResidual*>(Allocate(sizeof(*block)));
  const auto prepare = [&] {
    outcome->refusal = rnnpool::PlanInvertedResidual(Spec(layer), block);
  };
  Measure(prepare, &outcome->prepare_instructions, &outcome->prepare_stack_bytes);
  if (outcome->refusal != nullptr) return;
  outcome->persistent_bytes = sizeof(*block);
  outcome->scratch_bytes = static_cast<uint32_t>(block->workspace_bytes);

  void* workspace = Allocate(block->workspace_bytes);
  memset(workspace, 0xA5, block->workspace_bytes);  // what it holds must not matter
  int8_t* output = static_cast<int8_t*>(Allocate(layer.output_elements));
  const auto run = [&] {
    rnnpool::RunInvertedResidual(*block, layer.batch, static_cast<const int8_t*>(layer.input),
                                 output, workspace);
  };
  Measure(run, &outcome->instructions, &outcome->stack_bytes);
  Sample(run);
  outcome->output = output;
}

}  // namespace cortex_m
