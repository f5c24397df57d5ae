// What the operators' adapters to TFLite Micro have in common: reports, memory, full descriptions
// of a node's tensors, and the options that Init is handed and Prepare needs.

#ifndef RNNPOOL_TFLM_ADAPTER_H_
#define RNNPOOL_TFLM_ADAPTER_H_

#include <stdint.h>

#include "rnnpool_tensor_view.h"
#include "tensorflow/lite/micro/kernels/kernel_util.h"
#include "tensorflow/lite/micro/micro_context.h"

namespace rnnpool {
namespace adapter {

typedef void* (*InitFunction)(TfLiteContext*, const char*, size_t);
typedef TfLiteStatus (*NodeFunction)(TfLiteContext*, TfLiteNode*);

// TfLiteRegistration in releases of early 2023, TFLMRegistration since.
typedef decltype(::tflite::micro::RegisterOp(InitFunction(), NodeFunction(),
                                             NodeFunction())) Registration;

// The sink of a Report to TFLite Micro's log.
void PrintReport(void* context, const char* format, const char* first, const char* second, int a,
                 int b, int c);

TfLiteStatus Refuse(const Report& report, const char* problem);

// From the arena's persistent part; reports and returns null where there is no more.
void* Allocate(TfLiteContext* context, const Report& report, size_t bytes);

// A scratch buffer that Prepare requested; reports and returns null where a memory plan in the model
// file, which may say anything, has put it at an address that is no multiple of 4.
void* Scratch(TfLiteContext* context, const Report& report, int index);

// Begins the state of every node.
struct OptionBytes {
  const uint8_t* data;  // in the model file
  size_t size;
};

// Init of an operator whose user_data is a State: a struct of plain members, the first of them
// `OptionBytes options`. The other members begin as zeros.
template <class State>
void* InitState(TfLiteContext* context, const Report& report, const char* options, size_t size) {
  State* state = static_cast<State*>(Allocate(context, report, sizeof(State)));
  if (state == nullptr) return nullptr;
  *state = State();
  state->options.data = reinterpret_cast<const uint8_t*>(options);
  state->options.size = size;
  return state;
}

// The full descriptions of a node's tensors, which TFLite Micro lends during Prepare only.
class BorrowedTensors {
 public:
  BorrowedTensors(TfLiteContext* context, const TfLiteNode* node, const OptionBytes& options);
  ~BorrowedTensors();

  const NodeView& view() const { return view_; }

 private:
  BorrowedTensors(const BorrowedTensors&);
  void operator=(const BorrowedTensors&);

  TfLiteTensor* Keep(TfLiteTensor* tensor);

  decltype(GetMicroContext(nullptr)) context_;
  NodeView view_;
  TfLiteTensor* tensors_[kMaxNodeInputs + 1];
  int count_;
};

}  // namespace adapter
}  // namespace rnnpool

#endif  // RNNPOOL_TFLM_ADAPTER_H_
