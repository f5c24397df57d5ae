// Prepare checks everything and does all work that depends on the weights alone; Eval cannot
// fail. Memory: the node's state and prepared weights in the arena's persistent part, the sweeps'
// buffers in its shared part.

#include "rnnpool_op.h"

#include "rnnpool/rnnpool_core.h"
#include "tensorflow/lite/micro/micro_context.h"
#include "tensorflow/lite/micro/micro_log.h"

namespace rnnpool {
namespace adapter {
namespace {

struct NodeState {
  const uint8_t* options;
  size_t options_size;
  int scratch;
  int batch;
  const Int8Layer* int8;  // one of the two is set by Prepare
  const FloatLayer* float32;
};

void PrintReport(void*, const char* format, const char* text, int a, int b) {
  MicroPrintf(format, text, a, b);
}

const Report kReport = {PrintReport, nullptr};

// The full descriptions of a node's tensors, which TFLite Micro lends during Prepare only.
class BorrowedTensors {
 public:
  BorrowedTensors(TfLiteContext* context, const TfLiteNode* node)
      : context_(GetMicroContext(context)), count_(0) {
    view.input_count = node->inputs->size;
    for (int i = 0; i < kMaxInputs; ++i) {
      view.inputs[i] = ViewOf(
          i < view.input_count ? Keep(context_->AllocateTempInputTensor(node, i)) : nullptr);
    }
    view.output_count = node->outputs->size;
    view.output = ViewOf(
        view.output_count > 0 ? Keep(context_->AllocateTempOutputTensor(node, 0)) : nullptr);
    view.output_has_shape = true;
  }

  ~BorrowedTensors() {
    while (count_ > 0) context_->DeallocateTempTfLiteTensor(tensors_[--count_]);
  }

  NodeView view;

 private:
  BorrowedTensors(const BorrowedTensors&);
  void operator=(const BorrowedTensors&);

  TfLiteTensor* Keep(TfLiteTensor* tensor) {
    if (tensor != nullptr) tensors_[count_++] = tensor;
    return tensor;
  }

  decltype(GetMicroContext(nullptr)) context_;
  TfLiteTensor* tensors_[kMaxInputs + 1];
  int count_;
};

void* Allocate(TfLiteContext* context, size_t bytes) {
  void* memory = context->AllocatePersistentBuffer(context, bytes);
  if (memory == nullptr) {
    kReport.Fail("RNNPool%s needs %d bytes more of arena.", "", static_cast<int>(bytes));
  }
  return memory;
}

TfLiteStatus RequestScratch(TfLiteContext* context, size_t bytes, NodeState* state) {
  return context->RequestScratchBufferInArena(context, bytes, &state->scratch);
}

TfLiteStatus Refuse(const char* problem) {
  kReport.Fail("RNNPool: %s", problem);
  return kTfLiteError;
}

TfLiteStatus PrepareInt8(TfLiteContext* context, const Int8Spec& spec, NodeState* state) {
  Int8Plan plan;
  const char* problem = PlanInt8(spec, &plan);
  if (problem != nullptr) return Refuse(problem);
  void* layer = Allocate(context, sizeof(Int8Layer));
  void* weights = Allocate(context, plan.persistent_bytes);
  if (layer == nullptr || weights == nullptr) return kTfLiteError;
  BuildInt8(spec, plan, weights, static_cast<Int8Layer*>(layer));
  state->int8 = static_cast<Int8Layer*>(layer);
  return RequestScratch(context, plan.scratch.bytes, state);
}

TfLiteStatus PrepareFloat(TfLiteContext* context, const FloatSpec& spec, NodeState* state) {
  void* layer = Allocate(context, sizeof(FloatLayer));
  if (layer == nullptr) return kTfLiteError;
  const char* problem = PlanFloat(spec, static_cast<FloatLayer*>(layer));
  if (problem != nullptr) return Refuse(problem);
  state->float32 = static_cast<FloatLayer*>(layer);
  return RequestScratch(context, state->float32->scratch.bytes, state);
}

// Types that are not wanted are compiled out, and the core's half for them is not linked.
template <bool kWithInt8, bool kWithFloat32>
TfLiteStatus Prepare(TfLiteContext* context, TfLiteNode* node) {
  NodeState* state = static_cast<NodeState*>(node->user_data);
  if (state == nullptr) return kTfLiteError;  // Init has said why
  const BorrowedTensors tensors(context, node);
  NodeView view = tensors.view;
  view.options = state->options;
  view.options_size = state->options_size;
  CheckedNode checked;
  if (!CheckNode(view, kReport, &checked)) return kTfLiteError;
  state->batch = checked.batch;
  if (checked.type == ElementType::kInt8) {
    if (kWithInt8) return PrepareInt8(context, MakeInt8Spec(view, checked), state);
    return Refuse("int8 is not in this registration; use Register_RNN_POOL.");
  }
  if (kWithFloat32) return PrepareFloat(context, MakeFloatSpec(view, checked), state);
  return Refuse("float32 is not in this registration; use Register_RNN_POOL.");
}

template <bool kWithInt8, bool kWithFloat32>
TfLiteStatus Eval(TfLiteContext* context, TfLiteNode* node) {
  const NodeState* state = static_cast<const NodeState*>(node->user_data);
  const TfLiteEvalTensor* input = GetEvalInput(context, node, kInputX);
  TfLiteEvalTensor* output = GetEvalOutput(context, node, 0);
  void* scratch = context->GetScratchBuffer(context, state->scratch);
  if (kWithInt8 && state->int8 != nullptr) {
    RunInt8(*state->int8, state->batch, GetTensorData<int8_t>(input),
            GetTensorData<int8_t>(output), scratch);
  } else if (kWithFloat32) {
    RunFloat(*state->float32, state->batch, GetTensorData<float>(input),
             GetTensorData<float>(output), scratch);
  }
  return kTfLiteOk;
}

template <bool kWithInt8, bool kWithFloat32>
Registration* RegistrationOf() {
  static Registration registration = ::tflite::micro::RegisterOp(
      Init, Prepare<kWithInt8, kWithFloat32>, Eval<kWithInt8, kWithFloat32>);
  return &registration;
}

}  // namespace

void* Init(TfLiteContext* context, const char* options, size_t size) {
  NodeState* state = static_cast<NodeState*>(Allocate(context, sizeof(NodeState)));
  if (state == nullptr) return nullptr;
  const NodeState initial = {reinterpret_cast<const uint8_t*>(options), size, -1, 0, nullptr,
                             nullptr};
  *state = initial;
  return state;
}

TfLiteStatus PrepareAny(TfLiteContext* context, TfLiteNode* node) {
  return Prepare<true, true>(context, node);
}

TfLiteStatus EvalAny(TfLiteContext* context, TfLiteNode* node) {
  return Eval<true, true>(context, node);
}

}  // namespace adapter
}  // namespace rnnpool

namespace tflite {

::rnnpool::adapter::Registration* Register_RNN_POOL() {
  static ::rnnpool::adapter::Registration registration = ::tflite::micro::RegisterOp(
      ::rnnpool::adapter::Init, ::rnnpool::adapter::PrepareAny, ::rnnpool::adapter::EvalAny);
  return &registration;
}

::rnnpool::adapter::Registration* Register_RNN_POOL_INT8() {
  return ::rnnpool::adapter::RegistrationOf<true, false>();
}

::rnnpool::adapter::Registration* Register_RNN_POOL_FLOAT32() {
  return ::rnnpool::adapter::RegistrationOf<false, true>();
}

}  // namespace tflite
