#include "inverted_residual_node.h"

#include "rnnpool_node_checks.h"

namespace rnnpool {
namespace {

const char* const kNames[kBlockInputs] = {"input",
                                          "expansion weights",
                                          "expansion parameters",
                                          "depthwise weights",
                                          "depthwise parameters",
                                          "projection weights",
                                          "projection parameters"};
const char* const kOutput = "output";

bool CheckPresence(const NodeView& node, const Report& report) {
  if (node.input_count != kBlockInputs) {
    return report.Fail("%s%s must have 7 inputs. Received: %d", "", node.input_count);
  }
  if (node.output_count != 1) {
    return report.Fail("%s%s must have 1 output. Received: %d", "", node.output_count);
  }
  for (int i = 0; i < kBlockInputs; ++i) {
    const bool optional = i == kExpandWeights || i == kExpandParameters;
    if (!node.inputs[i].present && !optional) {
      return report.Fail("%s's %s is missing.", kNames[i]);
    }
  }
  if (node.inputs[kExpandWeights].present != node.inputs[kExpandParameters].present) {
    return report.Fail("%s%s must have both expansion weights and parameters, or none.");
  }
  return true;
}

// A stage's weights, whose outputs and inputs are these dimensions of them, and its parameters.
bool CheckStage(const NodeView& node, int weights, int rank, int output_axis, int input_axis,
                int channels, const Report& report) {
  const TensorView& tensor = node.inputs[weights];
  const int parameters = weights + 1;
  if (!CheckExtent(tensor, kNames[weights], rank, report)) return false;
  if (tensor.dims[input_axis] != channels) {
    return report.Fail("%s's %s must have size %d in dimension %d. Received: size %d",
                       kNames[weights], channels, input_axis, tensor.dims[input_axis]);
  }
  const int shape[2] = {3, tensor.dims[output_axis]};
  return CheckConstantOf(tensor, kNames[weights], ElementType::kInt8, rank, tensor.dims, report) &&
         CheckSymmetric(tensor, kNames[weights], report) &&
         CheckConstantOf(node.inputs[parameters], kNames[parameters], ElementType::kInt32, 2, shape,
                         report);
}

bool CheckStages(const NodeView& node, bool expands, const Report& report) {
  int channels = node.inputs[kBlockInput].dims[3];
  if (expands) {
    if (!CheckStage(node, kExpandWeights, 2, 0, 1, channels, report)) return false;
    channels = node.inputs[kExpandWeights].dims[0];
  }
  return CheckStage(node, kFilterWeights, 3, 2, 2, channels, report) &&
         CheckStage(node, kProjectWeights, 2, 0, 1, channels, report);
}

bool CheckOutput(const NodeView& node, const InvertedResidualOptions& options,
                 const Report& report) {
  const TensorView& output = node.output;
  if (!CheckType(output, kOutput, ElementType::kInt8, report) ||
      !CheckExtent(output, kOutput, 4, report) || !CheckActivation(output, kOutput, report)) {
    return false;
  }
  const TensorView& x = node.inputs[kBlockInput];
  const int shape[4] = {node.output_has_shape ? x.dims[0] : output.dims[0], output.dims[1],
                        output.dims[2], node.inputs[kProjectWeights].dims[0]};
  if (!CheckShape(output, kOutput, 4, shape, report)) return false;
  if (!options.residual && output.zero_points[0] != options.projected.zero_point) {
    return report.Fail("%s's %s must have the projection's zero point %d. Received: %d", kOutput,
                       options.projected.zero_point, output.zero_points[0]);
  }
  return CheckWindows(kOutput, 1, x.dims[1], node.inputs[kFilterWeights].dims[0],
                      options.stride_height, options.pad_top, output.dims[1], report) &&
         CheckWindows(kOutput, 2, x.dims[2], node.inputs[kFilterWeights].dims[1],
                      options.stride_width, options.pad_left, output.dims[2], report);
}

ChannelTable TableOf(const Operand& parameters, int channels) {
  return TableFromParams(static_cast<const int32_t*>(parameters.data), channels);
}

Pointwise MakePointwise(const Operand& weights, const Operand& parameters,
                        const PackedRange& range) {
  Pointwise stage;
  stage.outputs = weights.dims[0];
  stage.inputs = weights.dims[1];
  stage.weights = static_cast<const int8_t*>(weights.data);
  stage.table = TableOf(parameters, stage.outputs);
  stage.range = Unpack(range);
  return stage;
}

void FillSpec(const InvertedResidualSettings& settings, const Operand* inputs,
              const int* output_dims, InvertedResidualSpec* spec) {
  const InvertedResidualOptions& options = settings.options;
  const Operand& x = inputs[kBlockInput];
  const Operand& filter = inputs[kFilterWeights];
  *spec = InvertedResidualSpec();
  spec->height = x.dims[1];
  spec->width = x.dims[2];
  spec->channels = x.dims[3];
  spec->input_zero_point = settings.input_zero_point;
  if (inputs[kExpandWeights].data != nullptr) {
    spec->expand =
        MakePointwise(inputs[kExpandWeights], inputs[kExpandParameters], options.expanded);
  }
  spec->kernel_height = filter.dims[0];
  spec->kernel_width = filter.dims[1];
  spec->filter.taps = spec->kernel_height * spec->kernel_width;
  spec->filter.channels = filter.dims[2];
  spec->filter.weights = static_cast<const int8_t*>(filter.data);
  spec->filter.table = TableOf(inputs[kFilterParameters], spec->filter.channels);
  spec->filter.range = Unpack(options.filtered);
  spec->project =
      MakePointwise(inputs[kProjectWeights], inputs[kProjectParameters], options.projected);
  spec->stride_height = options.stride_height;
  spec->stride_width = options.stride_width;
  spec->pad_top = options.pad_top;
  spec->pad_left = options.pad_left;
  spec->out_height = output_dims[1];
  spec->out_width = output_dims[2];
  spec->residual = options.residual;
  if (options.residual) {
    const OutputRange range = {settings.output_zero_point, options.sum_min, options.sum_max};
    spec->add.x_zero_point = settings.input_zero_point;
    spec->add.y_zero_point = options.projected.zero_point;
    spec->add.x = options.input;
    spec->add.y = options.projected_factor;
    spec->add.sum = options.sum_factor;
    spec->add.range = range;
  }
}

}  // namespace

bool CheckInvertedResidual(const NodeView& node, const Report& report,
                           InvertedResidualSettings* settings, InvertedResidual* layer) {
  if (!CheckPresence(node, report)) return false;
  const bool expands = node.inputs[kExpandWeights].present;
  char sentence[kOptionsErrorSize];
  const char* problem = ParseInvertedResidualOptions(node.options, node.options_size, expands,
                                                     &settings->options, sentence);
  if (problem != nullptr) return report.Say(problem);

  if (!CheckInt8Map(node.inputs[kBlockInput], kNames[kBlockInput], report) ||
      !CheckStages(node, expands, report) || !CheckOutput(node, settings->options, report)) {
    return false;
  }
  settings->input_zero_point = static_cast<int8_t>(node.inputs[kBlockInput].zero_points[0]);
  settings->output_zero_point = static_cast<int8_t>(node.output.zero_points[0]);

  Operand operands[kBlockInputs];
  for (int i = 0; i < kBlockInputs; ++i) {
    operands[i].dims = node.inputs[i].dims;
    operands[i].data = node.inputs[i].data;
  }
  FillSpec(*settings, operands, node.output.dims, &layer->spec);
  problem = PlanInvertedResidual(layer->spec, layer);
  return problem == nullptr || report.Refuse(problem);
}

void MakeInvertedResidual(const InvertedResidualSettings& settings, const Operand* inputs,
                          const int* output_dims, InvertedResidual* layer) {
  FillSpec(settings, inputs, output_dims, &layer->spec);
  LayOutInvertedResidual(layer->spec, layer);
}

}  // namespace rnnpool
