#include "conv_rnnpool_node.h"

#include "rnnpool_node.h"
#include "rnnpool_node_checks.h"

namespace rnnpool {
namespace {

const char* const kInput = "input";
const char* const kWeightNames[kMaxConvolutions] = {"conv0 weights", "conv1 weights",
                                                    "conv2 weights", "conv3 weights"};
const char* const kParameterNames[kMaxConvolutions] = {"conv0 parameters", "conv1 parameters",
                                                       "conv2 parameters", "conv3 parameters"};
const char* const kOutputNames[kMaxConvolutions] = {"conv0 output", "conv1 output", "conv2 output",
                                                    "conv3 output"};

bool CheckCounts(const NodeView& node, int convolutions, const Report& report) {
  const int expected = 1 + 2 * convolutions + kCellInputs;
  if (node.input_count != expected) {
    return report.Fail("%s%s with %d convolutions must have %d inputs. Received: %d", "",
                       convolutions, expected, node.input_count);
  }
  if (node.output_count != 1) {
    return report.Fail("%s%s must have 1 output. Received: %d", "", node.output_count);
  }
  for (int i = 0; i <= 2 * convolutions; ++i) {
    if (node.inputs[i].present) continue;
    const char* const* names = i % 2 == 1 ? kWeightNames : kParameterNames;
    return report.Fail("%s's %s is missing.", i == 0 ? kInput : names[(i - 1) / 2]);
  }
  return true;
}

// A map between the stages.
struct Map {
  int height;
  int width;
  int channels;
};

// Checks convolution `index`, which is applied to *map, completes its spec, and makes *map what it
// produces.
bool CheckConvolution(const NodeView& node, int index, const Report& report, Map* map,
                      ConvolutionSpec* spec) {
  const TensorView& weights = node.inputs[1 + 2 * index];
  const TensorView& parameters = node.inputs[2 + 2 * index];
  const char* name = kWeightNames[index];
  if (weights.rank != 3 && weights.rank != 4) {
    return report.Fail("%s's %s must have rank 4, or 3 if depthwise. Received: rank %d", name,
                       weights.rank);
  }
  if (!CheckExtent(weights, name, weights.rank, report)) return false;
  spec->depthwise = weights.rank == 3;
  const int* kernel = spec->depthwise ? weights.dims : weights.dims + 1;
  spec->kernel_height = kernel[0];
  spec->kernel_width = kernel[1];
  spec->out_channels = spec->depthwise ? kernel[2] : weights.dims[0];
  if (kernel[2] != map->channels) {
    return report.Fail("%s's %s must have size %d in dimension %d. Received: size %d", name,
                       map->channels, weights.rank - 1, kernel[2]);
  }
  const int shape[2] = {3, spec->out_channels};
  if (!CheckConstantOf(weights, name, ElementType::kInt8, weights.rank, weights.dims, report) ||
      !CheckSymmetric(weights, name, report) ||
      !CheckConstantOf(parameters, kParameterNames[index], ElementType::kInt32, 2, shape, report) ||
      !CheckWindows(kOutputNames[index], 1, map->height, spec->kernel_height, spec->stride_height,
                    spec->pad_top, spec->out_height, report) ||
      !CheckWindows(kOutputNames[index], 2, map->width, spec->kernel_width, spec->stride_width,
                    spec->pad_left, spec->out_width, report)) {
    return false;
  }
  spec->weights = static_cast<const int8_t*>(weights.data);
  spec->table = TableFromParams(static_cast<const int32_t*>(parameters.data), spec->out_channels);
  map->height = spec->out_height;
  map->width = spec->out_width;
  map->channels = spec->out_channels;
  return true;
}

}  // namespace

bool CheckConvRnnPool(const NodeView& node, const Report& report, ConvPoolSpec* spec,
                      ConvPoolPlan* plan, ConvRnnPoolShape* output) {
  char sentence[kOptionsErrorSize];
  CheckedNode pool = CheckedNode();
  const char* problem =
      ParseConvPoolOptions(node.options, node.options_size, spec, &pool.version, sentence);
  if (problem != nullptr) return report.Say(problem);
  const TensorView& x = node.inputs[0];
  if (!CheckCounts(node, spec->count, report) || !CheckInt8Map(x, kInput, report)) return false;
  spec->height = x.dims[1];
  spec->width = x.dims[2];
  spec->channels = x.dims[3];
  spec->zero_point = x.zero_points[0];
  Map map = {spec->height, spec->width, spec->channels};
  for (int i = 0; i < spec->count; ++i) {
    if (!CheckConvolution(node, i, report, &map, &spec->convolutions[i])) return false;
  }

  pool.type = ElementType::kInt8;
  pool.geometry = spec->geometry;
  pool.gates = spec->cell1.gates;
  pool.batch = x.dims[0];
  pool.height = map.height;
  pool.width = map.width;
  pool.channels = map.channels;
  const TensorView* cells = node.inputs + 1 + 2 * spec->count;
  if (!CheckCells(cells, report, &pool) || !CheckPoolOutput(node, report, pool)) return false;
  const Int8Spec cells_spec = MakeInt8SpecOf(cells, pool, spec->pool_scale, 0);
  spec->cell1 = cells_spec.cell1;
  spec->cell2 = cells_spec.cell2;
  output->batch = pool.batch;
  output->out_height = pool.grid.out_height;
  output->out_width = pool.grid.out_width;
  output->out_channels = 4 * pool.hidden2;

  problem = PlanConvPool(*spec, InputRows::kResident, plan);
  return problem == nullptr || report.Refuse(problem);
}

}  // namespace rnnpool
