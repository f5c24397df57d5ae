#include "rnnpool_node.h"

#include "rnnpool/int8_packed.h"
#include "rnnpool_node_checks.h"

namespace rnnpool {
namespace {

const float kBiasScale = 1.0f / 67108864.0f;  // 2^-26
const float kOutputScale = 1.0f / 128.0f;

const char* const kInput = "input";
const char* const kZetaNu = "zeta and nu";
const char* const kOutput = "output";
const char* const kCellNames[kCellInputs] = {
    "kernel 1", "recurrent kernel 1", "gate bias 1", "update bias 1",
    "kernel 2", "recurrent kernel 2", "gate bias 2", "update bias 2"};

bool CheckCounts(const NodeView& node, const Report& report) {
  if (node.input_count != kRequiredInputs && node.input_count != kMaxInputs) {
    return report.Fail("%s%s must have 9 inputs, or 10 with zeta and nu. Received: %d", "",
                       node.input_count);
  }
  if (node.output_count != 1) {
    return report.Fail("%s%s must have 1 output. Received: %d", "", node.output_count);
  }
  return node.inputs[kInputX].present || report.Fail("%s's %s is missing.", kInput);
}

bool CheckWeightQuantization(const TensorView& tensor, const char* name, const Report& report) {
  const int rows = tensor.dims[0];
  if (tensor.scale_count != 1 && tensor.scale_count != rows) {
    return report.Fail("%s's %s must have 1 scale or 1 per row. Received: %d scales", name,
                       tensor.scale_count);
  }
  if (tensor.scale_count > 1 && tensor.quantized_dimension != 0) {
    return report.Fail("%s's %s must be quantised along dimension 0. Received: %d", name,
                       tensor.quantized_dimension);
  }
  return CheckSymmetric(tensor, name, report);
}

bool CheckInput(const TensorView& x, const Report& report, CheckedNode* checked) {
  if (x.type != ElementType::kFloat32 && x.type != ElementType::kInt8) {
    report.Fail("%s's %s must be float32 or int8.", kInput);
    return report.Received(TypeName(x.type));
  }
  if (!CheckExtent(x, kInput, 4, report)) return false;
  if (x.type == ElementType::kInt8 && !CheckActivation(x, kInput, report)) {
    return false;
  }
  checked->type = x.type;
  checked->batch = x.dims[0];
  checked->height = x.dims[1];
  checked->width = x.dims[2];
  checked->channels = x.dims[3];
  return true;
}

// What is known of a packed matrix before its cell is; PlanInt8 checks the rest.
bool CheckPackedMatrix(const TensorView& tensor, const char* name, const Report& report,
                       PackedMatrix* matrix) {
  if (!CheckConstantOf(tensor, name, ElementType::kInt8, 1, tensor.dims, report) ||
      !CheckSymmetric(tensor, name, report)) {
    return false;
  }
  if (tensor.scale_count != 1) {
    return report.Fail("%s's %s is packed and must have 1 scale. Received: %d scales", name,
                       tensor.scale_count);
  }
  const int bytes = tensor.dims[0];
  return (bytes > 0 && OpenPacked(tensor.data, static_cast<size_t>(bytes), matrix)) ||
         report.Fail("%s's %s is no packed matrix.", name);
}

// `tensors` and `names` of this cell; *units is its number of units.
bool CheckCell(const TensorView* tensors, const char* const* names, const CheckedNode& checked,
               int inputs, const Report& report, int* units) {
  const bool quantized = checked.type == ElementType::kInt8;
  bool packed[kInputsPerCell] = {};
  PackedMatrix matrix = PackedMatrix();
  for (int i = 1; i >= 0; --i) {  // the kernel's size is needed below
    packed[i] = quantized && checked.version >= kPackedVersion && tensors[i].rank == 1;
    if (packed[i] && !CheckPackedMatrix(tensors[i], names[i], report, &matrix)) return false;
  }
  const TensorView& kernel = tensors[0];
  if (!packed[0] && (kernel.rank != 2 || kernel.dims[0] < 1)) {
    return report.Fail("%s's %s must have shape [units, inputs]. Received: rank %d", names[0],
                       kernel.rank);
  }
  *units = packed[0] ? matrix.rows : kernel.dims[0];
  const int shapes[kInputsPerCell][2] = {
      {*units, inputs}, {*units, *units}, {*units, 0}, {*units, 0}};
  for (int i = 0; i < kInputsPerCell; ++i) {
    if (packed[i]) continue;
    const bool bias = i >= 2;
    const ElementType type =
        !quantized ? ElementType::kFloat32 : (bias ? ElementType::kInt32 : ElementType::kInt8);
    if (!CheckConstantOf(tensors[i], names[i], type, bias ? 1 : 2, shapes[i], report)) {
      return false;
    }
    if (!quantized) continue;
    if (!(bias ? CheckFixedQuantization(tensors[i], names[i], kBiasScale,
                                        "%s's %s must have the scale 2^-26.", report)
               : CheckWeightQuantization(tensors[i], names[i], report))) {
      return false;
    }
  }
  if (static_cast<int64_t>(*units) * *units > kMaxElements / 4 ||
      static_cast<int64_t>(*units) * inputs > kMaxElements / 4) {
    return report.Fail("%s's %s is too large.", names[0]);
  }
  return true;
}

bool CheckZetaNu(const NodeView& node, const Report& report, const CheckedNode& checked) {
  const TensorView& tensor = node.inputs[kInputZetaNu];
  if (node.input_count <= kInputZetaNu || !tensor.present) return true;
  if (checked.type == ElementType::kInt8) {
    return report.Fail("%s in int8 has no trainable %s; leave input 9 out.", kZetaNu);
  }
  const int shape[2] = {2, 2};
  return CheckConstantOf(tensor, kZetaNu, ElementType::kFloat32, 2, shape, report);
}

LayerSpec MakeLayerSpec(const CheckedNode& checked) {
  const LayerSpec spec = {checked.height, checked.width, checked.channels, checked.geometry};
  return spec;
}

Int8Matrix MakeMatrix(const TensorView& tensor) {
  const size_t packed_bytes = tensor.rank == 1 ? static_cast<size_t>(tensor.dims[0]) : 0;
  const Int8Matrix matrix = {static_cast<const int8_t*>(tensor.data), tensor.scales,
                             tensor.scale_count, packed_bytes};
  return matrix;
}

Int8CellWeights MakeInt8Cell(const TensorView* tensors, int inputs, int units, GatesKind gates) {
  Int8CellWeights cell;
  cell.gates = gates;
  cell.inputs = inputs;
  cell.units = units;
  cell.kernel = MakeMatrix(tensors[0]);
  cell.recurrent = MakeMatrix(tensors[1]);
  cell.bias_gate = static_cast<const int32_t*>(tensors[2].data);
  cell.bias_update = static_cast<const int32_t*>(tensors[3].data);
  return cell;
}

FloatCell MakeFloatCell(const TensorView* tensors, GatesKind gates, const float* zeta_nu) {
  FloatCell cell;
  cell.gates = gates;
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

bool CheckCells(const TensorView* cells, const Report& report, CheckedNode* checked) {
  for (int i = 0; i < kCellInputs; ++i) {
    if (!cells[i].present) return report.Fail("%s's %s is missing.", kCellNames[i]);
  }
  if (!CheckCell(cells, kCellNames, *checked, checked->channels, report, &checked->hidden1) ||
      !CheckCell(cells + kInputsPerCell, kCellNames + kInputsPerCell, *checked,
                 checked->hidden1, report, &checked->hidden2)) {
    return false;
  }
  const char* problem =
      PlanGrid(checked->geometry, checked->height, checked->width, &checked->grid);
  return problem == nullptr || report.Refuse(problem);
}

bool CheckPoolOutput(const NodeView& node, const Report& report, const CheckedNode& checked) {
  const TensorView& output = node.output;
  const int64_t elements = static_cast<int64_t>(checked.grid.out_height) * checked.grid.out_width;
  if (elements > kMaxElements / 4 / checked.hidden2 / checked.batch) {
    return report.Fail("%s's %s is too large.", kOutput);
  }
  if (!CheckType(output, kOutput, checked.type, report)) return false;
  if (node.output_has_shape) {
    const int shape[4] = {checked.batch, checked.grid.out_height, checked.grid.out_width,
                          4 * checked.hidden2};
    if (!CheckShape(output, kOutput, 4, shape, report)) return false;
  }
  if (checked.type != ElementType::kInt8) return true;
  return CheckFixedQuantization(output, kOutput, kOutputScale, "%s's %s must have the scale 1/128.",
                                report);
}

bool CheckNode(const NodeView& node, const Report& report, CheckedNode* checked) {
  if (!CheckCounts(node, report)) return false;

  RnnPoolOptions options;
  char sentence[kOptionsErrorSize];
  const char* problem = ParseOptions(node.options, node.options_size, &options, sentence);
  if (problem != nullptr) return report.Say(problem);
  checked->geometry = options.geometry;
  checked->version = options.version;
  checked->gates = options.gates;

  return CheckInput(node.inputs[kInputX], report, checked) &&
         CheckCells(node.inputs + kFirstCellInput, report, checked) &&
         CheckZetaNu(node, report, *checked) && CheckPoolOutput(node, report, *checked);
}

Int8Spec MakeInt8Spec(const NodeView& node, const CheckedNode& checked) {
  const TensorView& x = node.inputs[kInputX];
  return MakeInt8SpecOf(node.inputs + kFirstCellInput, checked, x.scales[0], x.zero_points[0]);
}

Int8Spec MakeInt8SpecOf(const TensorView* cells, const CheckedNode& checked, float input_scale,
                        int input_zero_point) {
  Int8Spec spec;
  spec.map = MakeLayerSpec(checked);
  spec.input_scale = input_scale;
  spec.input_zero_point = input_zero_point;
  spec.cell1 = MakeInt8Cell(cells, checked.channels, checked.hidden1, checked.gates);
  spec.cell2 =
      MakeInt8Cell(cells + kInputsPerCell, checked.hidden1, checked.hidden2, checked.gates);
  return spec;
}

FloatSpec MakeFloatSpec(const NodeView& node, const CheckedNode& checked) {
  static const float kDefault[4] = {1.0f, 0.0f, 1.0f, 0.0f};
  const bool given = node.input_count > kInputZetaNu && node.inputs[kInputZetaNu].present;
  const float* zeta_nu =
      given ? static_cast<const float*>(node.inputs[kInputZetaNu].data) : kDefault;
  FloatSpec spec;
  spec.map = MakeLayerSpec(checked);
  spec.cell1 = MakeFloatCell(node.inputs + kFirstCellInput, checked.gates, zeta_nu);
  spec.cell2 = MakeFloatCell(node.inputs + kFirstCellInput + kInputsPerCell, checked.gates,
                             zeta_nu + 2);
  return spec;
}

}  // namespace rnnpool
