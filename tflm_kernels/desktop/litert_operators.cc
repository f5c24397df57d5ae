#include "litert_operators.h"

#include <string.h>

#include "conv_rnnpool_node.h"
#include "inverted_residual_node.h"
#include "rnnpool_node.h"

namespace rnnpool {
namespace litert {
namespace {

class RnnPoolKernel : public Kernel {
 public:
  RnnPoolKernel(const void* options, size_t size) : Kernel(kRnnPoolName, options, size) {}

 private:
  bool PlanNode(const NodeView& node, const Report& report, Plan* plan) override {
    if (!CheckNode(node, report, &checked_)) return false;
    const bool quantized = checked_.type == ElementType::kInt8;
    const char* problem = quantized
                              ? PlanWeights(MakeInt8Spec(node, checked_), &plan->scratch_bytes)
                              : PlanFloat(MakeFloatSpec(node, checked_), &float_);
    if (problem != nullptr) return report.Refuse(problem);
    if (!quantized) plan->scratch_bytes = float_.scratch.bytes;
    const size_t element = quantized ? 1 : sizeof(float);
    const Grid& grid = checked_.grid;
    plan->output_shape = {checked_.batch, grid.out_height, grid.out_width, 4 * checked_.hidden2};
    plan->input_map_bytes = element * checked_.height * checked_.width * checked_.channels;
    plan->output_map_bytes = element * 4 * grid.out_height * grid.out_width * checked_.hidden2;
    return true;
  }

  const char* PlanWeights(const Int8Spec& spec, size_t* scratch_bytes) {
    Int8Plan plan;
    const char* problem = PlanInt8(spec, &plan);
    if (problem != nullptr) return problem;
    weights_.resize((plan.persistent_bytes + 3) / 4);
    BuildInt8(spec, plan, weights_.data(), &int8_);
    *scratch_bytes = plan.scratch.bytes;
    return nullptr;
  }

  void Run(int batch, const void* input, void* output, void* scratch) const override {
    if (checked_.type == ElementType::kInt8) {
      RunInt8(int8_, batch, static_cast<const int8_t*>(input), static_cast<int8_t*>(output),
              scratch);
    } else {
      RunFloat(float_, batch, static_cast<const float*>(input), static_cast<float*>(output),
               scratch);
    }
  }

  CheckedNode checked_ = {};
  std::vector<int32_t> weights_;
  Int8Layer int8_;
  FloatLayer float_;
};

class InvertedResidualKernel : public Kernel {
 public:
  InvertedResidualKernel(const void* options, size_t size)
      : Kernel(kInvertedResidualName, options, size) {}

 private:
  bool PlanNode(const NodeView& node, const Report& report, Plan* plan) override {
    InvertedResidualSettings settings;
    if (!CheckInvertedResidual(node, report, &settings, &layer_)) return false;
    const InvertedResidualSpec& spec = layer_.spec;
    const int32_t outputs = spec.project.outputs;
    plan->output_shape = {node.inputs[kBlockInput].dims[0], spec.out_height, spec.out_width,
                          outputs};
    plan->input_map_bytes = size_t{1} * spec.height * spec.width * spec.channels;
    plan->output_map_bytes = size_t{1} * spec.out_height * spec.out_width * outputs;
    plan->scratch_bytes = layer_.workspace_bytes;
    return true;
  }

  void Run(int batch, const void* input, void* output, void* scratch) const override {
    RunInvertedResidual(layer_, batch, static_cast<const int8_t*>(input),
                        static_cast<int8_t*>(output), scratch);
  }

  InvertedResidual layer_ = {};
};

class ConvRnnPoolKernel : public Kernel {
 public:
  ConvRnnPoolKernel(const void* options, size_t size) : Kernel(kConvPoolName, options, size) {}

 private:
  bool PlanNode(const NodeView& node, const Report& report, Plan* plan) override {
    ConvPoolSpec spec;
    ConvPoolPlan pool_plan;
    ConvRnnPoolShape output;
    if (!CheckConvRnnPool(node, report, &spec, &pool_plan, &output)) return false;
    weights_.resize((pool_plan.persistent_bytes + 3) / 4);
    BuildConvPool(spec, pool_plan, weights_.data(), &layer_);
    plan->output_shape = {output.batch, output.out_height, output.out_width, output.out_channels};
    plan->input_map_bytes = size_t{1} * spec.height * spec.width * spec.channels;
    plan->output_map_bytes = size_t{1} * output.out_height * output.out_width * output.out_channels;
    plan->scratch_bytes = pool_plan.scratch.bytes;
    return true;
  }

  void Run(int batch, const void* input, void* output, void* scratch) const override {
    RunConvPool(layer_, batch, static_cast<const int8_t*>(input), static_cast<int8_t*>(output),
                scratch);
  }

  std::vector<int32_t> weights_;
  ConvPoolLayer layer_;
};

template <class Type>
std::unique_ptr<Kernel> Make(const void* options, size_t size) {
  return std::unique_ptr<Kernel>(new Type(options, size));
}

}  // namespace

const Operator kOperators[kOperatorCount] = {
    {kRnnPoolName, Make<RnnPoolKernel>},
    {kConvPoolName, Make<ConvRnnPoolKernel>},
    {kInvertedResidualName, Make<InvertedResidualKernel>},
};

const Operator* FindOperator(const char* name) {
  for (const Operator& type : kOperators) {
    if (strcmp(type.name, name) == 0) return &type;
  }
  return nullptr;
}

}  // namespace litert
}  // namespace rnnpool
