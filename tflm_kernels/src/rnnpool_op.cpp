// Prepare checks everything and does all work that depends on the weights alone; Eval fails only
// where a memory plan misplaces scratch memory. Memory: the node's state and prepared weights in
// the arena's persistent part, the sweeps' buffers in its shared part.

#include "rnnpool_op.h"

#include "rnnpool_node.h"

namespace rnnpool {
namespace adapter {
namespace {

struct NodeState {
  OptionBytes options;
  int scratch;
  int batch;
  const Int8Layer* int8;  // one of the two is set by Prepare
  const FloatLayer* float32;
};

const Report kReport = {PrintReport, nullptr, kRnnPoolName};

TfLiteStatus RequestScratch(TfLiteContext* context, size_t bytes, NodeState* state) {
  return context->RequestScratchBufferInArena(context, bytes, &state->scratch);
}

TfLiteStatus PrepareInt8(TfLiteContext* context, const Int8Spec& spec, NodeState* state) {
  Int8Plan plan;
  const char* problem = PlanInt8(spec, &plan);
  if (problem != nullptr) return Refuse(kReport, problem);
  void* layer = Allocate(context, kReport, sizeof(Int8Layer));
  void* weights = Allocate(context, kReport, plan.persistent_bytes);
  if (layer == nullptr || weights == nullptr) return kTfLiteError;
  BuildInt8(spec, plan, weights, static_cast<Int8Layer*>(layer));
  state->int8 = static_cast<Int8Layer*>(layer);
  return RequestScratch(context, plan.scratch.bytes, state);
}

TfLiteStatus PrepareFloat(TfLiteContext* context, const FloatSpec& spec, NodeState* state) {
  void* layer = Allocate(context, kReport, sizeof(FloatLayer));
  if (layer == nullptr) return kTfLiteError;
  const char* problem = PlanFloat(spec, static_cast<FloatLayer*>(layer));
  if (problem != nullptr) return Refuse(kReport, problem);
  state->float32 = static_cast<FloatLayer*>(layer);
  return RequestScratch(context, state->float32->scratch.bytes, state);
}

// Types that are not wanted are compiled out, and the core's half for them is not linked.
template <bool kWithInt8, bool kWithFloat32>
TfLiteStatus Prepare(TfLiteContext* context, TfLiteNode* node) {
  NodeState* state = static_cast<NodeState*>(node->user_data);
  if (state == nullptr) return kTfLiteError;  // Init has said why
  const BorrowedTensors tensors(context, node, state->options);
  const NodeView& view = tensors.view();
  CheckedNode checked;
  if (!CheckNode(view, kReport, &checked)) return kTfLiteError;
  state->batch = checked.batch;
  if (checked.type == ElementType::kInt8) {
    if (kWithInt8) return PrepareInt8(context, MakeInt8Spec(view, checked), state);
    return Refuse(kReport, "int8 is not in this registration; use Register_RNN_POOL.");
  }
  if (kWithFloat32) return PrepareFloat(context, MakeFloatSpec(view, checked), state);
  return Refuse(kReport, "float32 is not in this registration; use Register_RNN_POOL.");
}

template <bool kWithInt8, bool kWithFloat32>
TfLiteStatus Eval(TfLiteContext* context, TfLiteNode* node) {
  const NodeState* state = static_cast<const NodeState*>(node->user_data);
  const TfLiteEvalTensor* input = GetEvalInput(context, node, kInputX);
  TfLiteEvalTensor* output = GetEvalOutput(context, node, 0);
  void* scratch = Scratch(context, kReport, state->scratch);
  if (scratch == nullptr) return kTfLiteError;
  if (kWithInt8 && state->int8 != nullptr) {
    RunInt8(*state->int8, state->batch, GetTensorData<int8_t>(input), GetTensorData<int8_t>(output),
            scratch);
  } else if (kWithFloat32) {
    RunFloat(*state->float32, state->batch, GetTensorData<float>(input),
             GetTensorData<float>(output), scratch);
  }
  return kTfLiteOk;
}

void* Init(TfLiteContext* context, const char* options, size_t size) {
  return InitState<NodeState>(context, kReport, options, size);
}

template <bool kWithInt8, bool kWithFloat32>
Registration* RegistrationOf() {
  static Registration registration = ::tflite::micro::RegisterOp(
      Init, Prepare<kWithInt8, kWithFloat32>, Eval<kWithInt8, kWithFloat32>);
  return &registration;
}

}  // namespace
}  // namespace adapter
}  // namespace rnnpool

namespace tflite {

::rnnpool::adapter::Registration* Register_RNN_POOL() {
  return ::rnnpool::adapter::RegistrationOf<true, true>();
}

::rnnpool::adapter::Registration* Register_RNN_POOL_INT8() {
  return ::rnnpool::adapter::RegistrationOf<true, false>();
}

::rnnpool::adapter::Registration* Register_RNN_POOL_FLOAT32() {
  return ::rnnpool::adapter::RegistrationOf<false, true>();
}

}  // namespace tflite
