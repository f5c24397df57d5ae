#include "rnnpool_node.h"

namespace rnnpool {
namespace {

const float kBiasScale = 1.0f / 67108864.0f;  // 2^-26
const float kOutputScale = 1.0f / 128.0f;
// Element counts stay below this, so that int32 arithmetic on indices cannot overflow.
const int64_t kMaxElements = INT32_MAX;

const char* const kInputNames[kMaxInputs] = {
    "input",    "kernel 1",           "recurrent kernel 1", "gate bias 1",   "update bias 1",
    "kernel 2", "recurrent kernel 2", "gate bias 2",        "update bias 2", "zeta and nu"};

const char* TypeName(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return "float32";
    case ElementType::kInt8:
      return "int8";
    case ElementType::kInt32:
      return "int32";
    case ElementType::kOther:
      break;
  }
  return "another type";
}

bool CheckCounts(const NodeView& node, const Report& report) {
  if (node.input_count != kRequiredInputs && node.input_count != kMaxInputs) {
    return report.Fail("RNNPool%s must have 9 inputs, or 10 with zeta and nu. Received: %d", "",
                       node.input_count);
  }
  if (node.output_count != 1) {
    return report.Fail("RNNPool%s must have 1 output. Received: %d", "", node.output_count);
  }
  for (int i = 0; i < kRequiredInputs; ++i) {
    if (!node.inputs[i].present) return report.Fail("RNNPool's %s is missing.", kInputNames[i]);
  }
  return true;
}

bool CheckType(const TensorView& tensor, const char* name, ElementType type,
               const Report& report) {
  if (tensor.type == type) return true;
  switch (type) {
    case ElementType::kFloat32:
      report.Fail("RNNPool's %s must be float32, as its input is.", name);
      break;
    case ElementType::kInt8:
      report.Fail("RNNPool's %s must be int8, as its input is.", name);
      break;
    default:
      report.Fail("RNNPool's %s must be int32, as its input is int8.", name);
      break;
  }
  return report.Fail("Received: %s", TypeName(tensor.type));
}

bool CheckShape(const TensorView& tensor, const char* name, int rank, const int* expected,
                const Report& report) {
  if (tensor.rank != rank) {
    return report.Fail("RNNPool's %s must have rank %d. Received: rank %d", name, rank,
                       tensor.rank);
  }
  for (int axis = 0; axis < rank; ++axis) {
    if (tensor.dims[axis] == expected[axis]) continue;
    report.Fail("RNNPool's %s must have size %d in dimension %d.", name, expected[axis], axis);
    return report.Fail("Received: size%s %d", "", tensor.dims[axis]);
  }
  return true;
}

bool CheckConstant(const TensorView& tensor, const char* name, const Report& report) {
  if (!tensor.constant || tensor.data == nullptr) {
    return report.Fail("RNNPool's %s must be a constant.", name);
  }
  // Kernels read int32 and float32 in place.
  const size_t alignment = tensor.type == ElementType::kInt8 ? 1 : 4;
  if (reinterpret_cast<uintptr_t>(tensor.data) % alignment != 0) {
    return report.Fail("RNNPool's %s must be aligned to 4 bytes in the model file.", name);
  }
  return true;
}

bool CheckZeroPoints(const TensorView& tensor, const char* name, const Report& report) {
  for (int i = 0; i < tensor.zero_point_count; ++i) {
    if (tensor.zero_points[i] == 0) continue;
    return report.Fail("RNNPool's %s must have zero point 0. Received: %d", name,
                       tensor.zero_points[i]);
  }
  return true;
}

bool CheckWeightQuantization(const TensorView& tensor, const char* name, const Report& report) {
  const int rows = tensor.dims[0];
  if (tensor.scale_count != 1 && tensor.scale_count != rows) {
    return report.Fail("RNNPool's %s must have 1 scale or 1 per row. Received: %d scales", name,
                       tensor.scale_count);
  }
  if (tensor.scale_count > 1 && tensor.quantized_dimension != 0) {
    return report.Fail("RNNPool's %s must be quantised along dimension 0. Received: %d", name,
                       tensor.quantized_dimension);
  }
  return CheckZeroPoints(tensor, name, report);
}

// Exactly one scale, of exactly this value.
bool CheckFixedQuantization(const TensorView& tensor, const char* name, float scale,
                            const char* sentence, const Report& report) {
  if (tensor.scale_count != 1 || tensor.scales[0] != scale) return report.Fail(sentence, name);
  return CheckZeroPoints(tensor, name, report);
}

bool CheckInput(const TensorView& x, const Report& report, CheckedNode* checked) {
  if (x.type != ElementType::kFloat32 && x.type != ElementType::kInt8) {
    return report.Fail("RNNPool's input must be float32 or int8. Received: %s", TypeName(x.type));
  }
  if (x.rank != 4) {
    return report.Fail("RNNPool's %s must have rank 4. Received: rank %d", kInputNames[kInputX],
                       x.rank);
  }
  int64_t elements = 1;
  for (int axis = 0; axis < 4; ++axis) {
    if (x.dims[axis] < 1) {
      return report.Fail("RNNPool's %s must not be empty. Received: size %d in dimension %d",
                         kInputNames[kInputX], x.dims[axis], axis);
    }
    elements *= x.dims[axis];
    if (elements > kMaxElements) return report.Fail("RNNPool's input is too large.");
  }
  if (x.type == ElementType::kInt8) {
    if (x.scale_count != 1 || x.zero_point_count != 1) {
      return report.Fail("RNNPool's %s must have 1 scale and 1 zero point. Received: %d and %d",
                         kInputNames[kInputX], x.scale_count, x.zero_point_count);
    }
    if (x.zero_points[0] < -128 || x.zero_points[0] > 127) {
      return report.Fail("RNNPool's %s must have a zero point in -128..127. Received: %d",
                         kInputNames[kInputX], x.zero_points[0]);
    }
  }
  checked->type = x.type;
  checked->batch = x.dims[0];
  checked->height = x.dims[1];
  checked->width = x.dims[2];
  checked->channels = x.dims[3];
  return true;
}

bool CheckCell(const NodeView& node, int cell, int inputs, const Report& report,
               CheckedNode* checked) {
  const int first = kFirstCellInput + cell * kInputsPerCell;
  const TensorView& kernel = node.inputs[first];
  if (kernel.rank != 2 || kernel.dims[0] < 1) {
    return report.Fail("RNNPool's %s must have shape [units, inputs]. Received: rank %d",
                       kInputNames[first], kernel.rank);
  }
  const int units = kernel.dims[0];
  const int shapes[kInputsPerCell][2] = {{units, inputs}, {units, units}, {units, 0}, {units, 0}};
  const bool quantized = checked->type == ElementType::kInt8;
  for (int i = 0; i < kInputsPerCell; ++i) {
    const TensorView& tensor = node.inputs[first + i];
    const char* name = kInputNames[first + i];
    const bool bias = i >= 2;
    const ElementType type = !quantized ? ElementType::kFloat32
                                        : (bias ? ElementType::kInt32 : ElementType::kInt8);
    if (!CheckType(tensor, name, type, report) ||
        !CheckShape(tensor, name, bias ? 1 : 2, shapes[i], report) ||
        !CheckConstant(tensor, name, report)) {
      return false;
    }
    if (!quantized) continue;
    if (!(bias ? CheckFixedQuantization(tensor, name, kBiasScale,
                                        "RNNPool's %s must have the scale 2^-26.", report)
               : CheckWeightQuantization(tensor, name, report))) {
      return false;
    }
  }
  if (static_cast<int64_t>(units) * units > kMaxElements / 4 ||
      static_cast<int64_t>(units) * inputs > kMaxElements / 4) {
    return report.Fail("RNNPool's %s is too large.", kInputNames[first]);
  }
  (cell == 0 ? checked->hidden1 : checked->hidden2) = units;
  return true;
}

bool CheckZetaNu(const NodeView& node, const Report& report, const CheckedNode& checked) {
  const TensorView& tensor = node.inputs[kInputZetaNu];
  if (node.input_count <= kInputZetaNu || !tensor.present) return true;
  const char* name = kInputNames[kInputZetaNu];
  if (checked.type == ElementType::kInt8) {
    return report.Fail("RNNPool in int8 has no trainable %s; leave input 9 out.", name);
  }
  const int shape[2] = {2, 2};
  return CheckType(tensor, name, ElementType::kFloat32, report) &&
         CheckShape(tensor, name, 2, shape, report) && CheckConstant(tensor, name, report);
}

bool CheckOutput(const NodeView& node, const Report& report, const CheckedNode& checked) {
  const TensorView& output = node.output;
  const int64_t elements = static_cast<int64_t>(checked.grid.out_height) * checked.grid.out_width;
  if (elements > kMaxElements / 4 / checked.hidden2 / checked.batch) {
    return report.Fail("RNNPool's output is too large.");
  }
  if (!CheckType(output, "output", checked.type, report)) return false;
  if (node.output_has_shape) {
    const int shape[4] = {checked.batch, checked.grid.out_height, checked.grid.out_width,
                          4 * checked.hidden2};
    if (!CheckShape(output, "output", 4, shape, report)) return false;
  }
  if (checked.type != ElementType::kInt8) return true;
  return CheckFixedQuantization(output, "output", kOutputScale,
                                "RNNPool's %s must have the scale 1/128.", report);
}

LayerSpec MakeLayerSpec(const CheckedNode& checked) {
  const LayerSpec spec = {checked.height, checked.width, checked.channels, checked.geometry};
  return spec;
}

Int8Matrix MakeMatrix(const TensorView& tensor) {
  const Int8Matrix matrix = {static_cast<const int8_t*>(tensor.data), tensor.scales,
                             tensor.scale_count};
  return matrix;
}

Int8CellWeights MakeInt8Cell(const TensorView* tensors) {
  Int8CellWeights cell;
  cell.inputs = tensors[0].dims[1];
  cell.units = tensors[0].dims[0];
  cell.kernel = MakeMatrix(tensors[0]);
  cell.recurrent = MakeMatrix(tensors[1]);
  cell.bias_gate = static_cast<const int32_t*>(tensors[2].data);
  cell.bias_update = static_cast<const int32_t*>(tensors[3].data);
  return cell;
}

FloatCell MakeFloatCell(const TensorView* tensors, const float* zeta_nu) {
  FloatCell cell;
  cell.inputs = tensors[0].dims[1];
  cell.units = tensors[0].dims[0];
  cell.kernel = static_cast<const float*>(tensors[0].data);
  cell.recurrent = static_cast<const float*>(tensors[1].data);
  cell.bias_gate = static_cast<const float*>(tensors[2].data);
  cell.bias_update = static_cast<const float*>(tensors[3].data);
  cell.zeta = zeta_nu[0];
  cell.nu = zeta_nu[1];
  return cell;
}

}  // namespace

bool CheckNode(const NodeView& node, const Report& report, CheckedNode* checked) {
  if (!CheckCounts(node, report)) return false;

  RnnPoolOptions options;
  char sentence[kOptionsErrorSize];
  const char* problem = ParseOptions(node.options, node.options_size, &options, sentence);
  if (problem != nullptr) return report.Fail("%s", problem);
  checked->geometry = options.geometry;

  if (!CheckInput(node.inputs[kInputX], report, checked) ||
      !CheckCell(node, 0, checked->channels, report, checked) ||
      !CheckCell(node, 1, checked->hidden1, report, checked) ||
      !CheckZetaNu(node, report, *checked)) {
    return false;
  }
  problem = PlanGrid(checked->geometry, checked->height, checked->width, &checked->grid);
  if (problem != nullptr) return report.Fail("RNNPool: %s", problem);
  return CheckOutput(node, report, *checked);
}

Int8Spec MakeInt8Spec(const NodeView& node, const CheckedNode& checked) {
  const TensorView& x = node.inputs[kInputX];
  Int8Spec spec;
  spec.map = MakeLayerSpec(checked);
  spec.input_scale = x.scales[0];
  spec.input_zero_point = x.zero_points[0];
  spec.cell1 = MakeInt8Cell(node.inputs + kFirstCellInput);
  spec.cell2 = MakeInt8Cell(node.inputs + kFirstCellInput + kInputsPerCell);
  return spec;
}

FloatSpec MakeFloatSpec(const NodeView& node, const CheckedNode& checked) {
  static const float kDefault[4] = {1.0f, 0.0f, 1.0f, 0.0f};
  const bool given = node.input_count > kInputZetaNu && node.inputs[kInputZetaNu].present;
  const float* zeta_nu =
      given ? static_cast<const float*>(node.inputs[kInputZetaNu].data) : kDefault;
  FloatSpec spec;
  spec.map = MakeLayerSpec(checked);
  spec.cell1 = MakeFloatCell(node.inputs + kFirstCellInput, zeta_nu);
  spec.cell2 = MakeFloatCell(node.inputs + kFirstCellInput + kInputsPerCell, zeta_nu + 2);
  return spec;
}

}  // namespace rnnpool
