// TFLite Micro's context object, of which TfLiteContext::impl_ is a pointer.
//
// Only the first slots of its table of virtual functions are described, in their order; the
// object itself is always the interpreter's.

#ifndef RNNPOOL_ABI_TENSORFLOW_LITE_MICRO_MICRO_CONTEXT_H_
#define RNNPOOL_ABI_TENSORFLOW_LITE_MICRO_MICRO_CONTEXT_H_

#include "tensorflow/lite/c/common.h"

namespace tflite {

class MicroContext {
 public:
  virtual ~MicroContext() = 0;
  virtual void* AllocatePersistentBuffer(size_t bytes) = 0;
  virtual TfLiteStatus RequestScratchBufferInArena(size_t bytes, int* index) = 0;
  virtual void* GetScratchBuffer(int index) = 0;
  virtual TfLiteTensor* AllocateTempTfLiteTensor(int tensor_index) = 0;
  virtual void DeallocateTempTfLiteTensor(TfLiteTensor* tensor) = 0;

  // Full descriptions of a node's tensors, for Prepare; null for an input left out. Each must be
  // given back with DeallocateTempTfLiteTensor.
  TfLiteTensor* AllocateTempInputTensor(const TfLiteNode* node, int index);
  TfLiteTensor* AllocateTempOutputTensor(const TfLiteNode* node, int index);
};

inline MicroContext* GetMicroContext(const TfLiteContext* context) {
  return static_cast<MicroContext*>(context->impl_);
}

}  // namespace tflite

#endif  // RNNPOOL_ABI_TENSORFLOW_LITE_MICRO_MICRO_CONTEXT_H_
