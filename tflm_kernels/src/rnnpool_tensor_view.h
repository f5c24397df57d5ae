// TensorView of a runtime's TfLiteTensor. The one place that knows both.
//
// Newer releases of TFLite Micro keep their types in tflite::micro, older ones in the global
// namespace; the using-directives below find them in either.

#ifndef RNNPOOL_TENSOR_VIEW_H_
#define RNNPOOL_TENSOR_VIEW_H_

#include "rnnpool_node_view.h"
#include "tensorflow/lite/c/common.h"

namespace tflite {
namespace micro {}
}  // namespace tflite

namespace rnnpool {
namespace adapter {

using namespace ::tflite;         // NOLINT
using namespace ::tflite::micro;  // NOLINT

inline ElementType ElementTypeOf(TfLiteType type) {
  switch (type) {
    case kTfLiteFloat32:
      return ElementType::kFloat32;
    case kTfLiteInt8:
      return ElementType::kInt8;
    case kTfLiteInt32:
      return ElementType::kInt32;
    default:
      return ElementType::kOther;
  }
}

// A null tensor stands for an input left out. The view points into the tensor.
inline TensorView ViewOf(const TfLiteTensor* tensor) {
  TensorView view = {};
  if (tensor == nullptr || tensor->dims == nullptr) return view;
  view.present = true;
  view.type = ElementTypeOf(tensor->type);
  view.constant =
      tensor->allocation_type == kTfLiteMmapRo || tensor->allocation_type == kTfLitePersistentRo;
  view.rank = tensor->dims->size;
  view.dims = tensor->dims->data;
  view.data = tensor->data.data;
  if (tensor->quantization.type != kTfLiteAffineQuantization ||
      tensor->quantization.params == nullptr) {
    return view;
  }
  const TfLiteAffineQuantization* affine =
      static_cast<const TfLiteAffineQuantization*>(tensor->quantization.params);
  if (affine->scale != nullptr) {
    view.scale_count = affine->scale->size;
    view.scales = affine->scale->data;
  }
  if (affine->zero_point != nullptr) {
    view.zero_point_count = affine->zero_point->size;
    view.zero_points = affine->zero_point->data;
  }
  view.quantized_dimension = affine->quantized_dimension;
  return view;
}

}  // namespace adapter
}  // namespace rnnpool

#endif  // RNNPOOL_TENSOR_VIEW_H_
