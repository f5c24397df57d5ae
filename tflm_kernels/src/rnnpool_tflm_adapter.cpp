#include "rnnpool_tflm_adapter.h"

#include "tensorflow/lite/micro/micro_log.h"

namespace rnnpool {
namespace adapter {
void PrintReport(void*, const char* format, const char* first, const char* second, int a, int b,
                 int c) {
  MicroPrintf(format, first, second, a, b, c);
}

TfLiteStatus Refuse(const Report& report, const char* problem) {
  report.Refuse(problem);
  return kTfLiteError;
}

void* Allocate(TfLiteContext* context, const Report& report, size_t bytes) {
  void* memory = context->AllocatePersistentBuffer(context, bytes);
  if (memory == nullptr) {
    report.Fail("%s%s needs %d bytes more of arena.", "", static_cast<int>(bytes));
  }
  return memory;
}

void* Scratch(TfLiteContext* context, const Report& report, int index) {
  void* memory = context->GetScratchBuffer(context, index);
  if (reinterpret_cast<uintptr_t>(memory) % 4 == 0) return memory;
  report.Fail("%s%s's scratch memory must be aligned to 4 bytes in the memory plan.");
  return nullptr;
}

BorrowedTensors::BorrowedTensors(TfLiteContext* context, const TfLiteNode* node,
                                 const OptionBytes& options)
    : context_(GetMicroContext(context)), view_(), count_(0) {
  view_.input_count = node->inputs->size;
  for (int i = 0; i < kMaxNodeInputs && i < view_.input_count; ++i) {
    view_.inputs[i] = ViewOf(Keep(context_->AllocateTempInputTensor(node, i)));
  }
  view_.output_count = node->outputs->size;
  if (view_.output_count > 0) {
    view_.output = ViewOf(Keep(context_->AllocateTempOutputTensor(node, 0)));
  }
  view_.output_has_shape = true;
  view_.options = options.data;
  view_.options_size = options.size;
}

BorrowedTensors::~BorrowedTensors() {
  while (count_ > 0) context_->DeallocateTempTfLiteTensor(tensors_[--count_]);
}

TfLiteTensor* BorrowedTensors::Keep(TfLiteTensor* tensor) {
  if (tensor != nullptr) tensors_[count_++] = tensor;
  return tensor;
}

}  // namespace adapter
}  // namespace rnnpool
