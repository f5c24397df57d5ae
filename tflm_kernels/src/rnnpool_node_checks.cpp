#include "rnnpool_node_checks.h"

namespace rnnpool {

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

bool CheckType(const TensorView& tensor, const char* name, ElementType type, const Report& report) {
  if (tensor.type == type) return true;
  switch (type) {
    case ElementType::kFloat32:
      report.Fail("%s's %s must be float32, as its input is.", name);
      break;
    case ElementType::kInt8:
      report.Fail("%s's %s must be int8, as its input is.", name);
      break;
    default:
      report.Fail("%s's %s must be int32, as its input is int8.", name);
      break;
  }
  return report.Received(TypeName(tensor.type));
}

bool CheckShape(const TensorView& tensor, const char* name, int rank, const int* expected,
                const Report& report) {
  if (tensor.rank != rank) {
    return report.Fail("%s's %s must have rank %d. Received: rank %d", name, rank, tensor.rank);
  }
  for (int axis = 0; axis < rank; ++axis) {
    if (tensor.dims[axis] == expected[axis]) continue;
    return report.Fail("%s's %s must have size %d in dimension %d. Received: size %d", name,
                       expected[axis], axis, tensor.dims[axis]);
  }
  return true;
}

bool CheckExtent(const TensorView& tensor, const char* name, int rank, const Report& report) {
  if (tensor.rank != rank) {
    return report.Fail("%s's %s must have rank %d. Received: rank %d", name, rank, tensor.rank);
  }
  int64_t elements = 1;
  for (int axis = 0; axis < rank; ++axis) {
    if (tensor.dims[axis] < 1) {
      return report.Fail("%s's %s must not be empty. Received: size %d in dimension %d", name,
                         tensor.dims[axis], axis);
    }
    elements *= tensor.dims[axis];
    if (elements > kMaxElements) return report.Fail("%s's %s is too large.", name);
  }
  return true;
}

bool CheckConstant(const TensorView& tensor, const char* name, const Report& report) {
  if (!tensor.constant || tensor.data == nullptr) {
    return report.Fail("%s's %s must be a constant.", name);
  }
  // Kernels read int32 and float32 in place.
  const size_t alignment = tensor.type == ElementType::kInt8 ? 1 : 4;
  if (reinterpret_cast<uintptr_t>(tensor.data) % alignment != 0) {
    return report.Fail("%s's %s must be aligned to 4 bytes in the model file.", name);
  }
  return true;
}

bool CheckConstantOf(const TensorView& tensor, const char* name, ElementType type, int rank,
                     const int* shape, const Report& report) {
  return CheckType(tensor, name, type, report) && CheckShape(tensor, name, rank, shape, report) &&
         CheckConstant(tensor, name, report);
}

bool CheckSymmetric(const TensorView& tensor, const char* name, const Report& report) {
  for (int i = 0; i < tensor.zero_point_count; ++i) {
    if (tensor.zero_points[i] == 0) continue;
    return report.Fail("%s's %s must have zero point 0. Received: %d", name, tensor.zero_points[i]);
  }
  return true;
}

bool CheckActivation(const TensorView& tensor, const char* name, const Report& report) {
  if (tensor.scale_count != 1 || tensor.zero_point_count != 1) {
    return report.Fail("%s's %s must have 1 scale and 1 zero point. Received: %d and %d", name,
                       tensor.scale_count, tensor.zero_point_count);
  }
  if (tensor.zero_points[0] < -128 || tensor.zero_points[0] > 127) {
    return report.Fail("%s's %s must have a zero point in -128..127. Received: %d", name,
                       tensor.zero_points[0]);
  }
  return true;
}

bool CheckInt8Map(const TensorView& tensor, const char* name, const Report& report) {
  if (tensor.type != ElementType::kInt8) {
    report.Fail("%s's %s must be int8.", name);
    return report.Received(TypeName(tensor.type));
  }
  return CheckExtent(tensor, name, 4, report) && CheckActivation(tensor, name, report);
}

bool CheckWindows(const char* name, int axis, int size, int kernel, int stride, int pad,
                  int out_size, const Report& report) {
  const int64_t room = static_cast<int64_t>(size) + pad - kernel;
  if (room < static_cast<int64_t>(out_size) * stride) return true;
  return report.Fail("%s's %s must have size %d or more in dimension %d. Received: size %d", name,
                     static_cast<int>(room / stride + 1), axis, out_size);
}

bool CheckFixedQuantization(const TensorView& tensor, const char* name, float scale,
                            const char* sentence, const Report& report) {
  if (tensor.scale_count != 1 || tensor.scales[0] != scale) return report.Fail(sentence, name);
  return CheckSymmetric(tensor, name, report);
}

}  // namespace rnnpool
