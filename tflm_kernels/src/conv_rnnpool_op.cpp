// As rnnpool_op.cpp: Prepare checks everything and prepares RNNPool's weights in the arena's
// persistent part. Convolutions take weights and tables from the model file.

#include "conv_rnnpool_op.h"

#include "conv_rnnpool_node.h"

namespace rnnpool {
namespace adapter {
namespace {

struct NodeState {
  OptionBytes options;
  const ConvPoolLayer* layer;
  int scratch;
};

const Report kReport = {PrintReport, nullptr, kConvPoolName};

void* Init(TfLiteContext* context, const char* options, size_t size) {
  return InitState<NodeState>(context, kReport, options, size);
}

TfLiteStatus Prepare(TfLiteContext* context, TfLiteNode* node) {
  NodeState* state = static_cast<NodeState*>(node->user_data);
  if (state == nullptr) return kTfLiteError;  // Init has said why
  const BorrowedTensors tensors(context, node, state->options);
  ConvPoolSpec spec;
  ConvPoolPlan plan;
  ConvRnnPoolShape output;
  if (!CheckConvRnnPool(tensors.view(), kReport, &spec, &plan, &output)) return kTfLiteError;
  void* layer = Allocate(context, kReport, sizeof(ConvPoolLayer));
  void* weights = Allocate(context, kReport, plan.persistent_bytes);
  if (layer == nullptr || weights == nullptr) return kTfLiteError;
  BuildConvPool(spec, plan, weights, static_cast<ConvPoolLayer*>(layer));
  state->layer = static_cast<ConvPoolLayer*>(layer);
  return context->RequestScratchBufferInArena(context, plan.scratch.bytes, &state->scratch);
}

TfLiteStatus Eval(TfLiteContext* context, TfLiteNode* node) {
  const NodeState* state = static_cast<const NodeState*>(node->user_data);
  const TfLiteEvalTensor* input = GetEvalInput(context, node, 0);
  TfLiteEvalTensor* output = GetEvalOutput(context, node, 0);
  void* scratch = Scratch(context, kReport, state->scratch);
  if (scratch == nullptr) return kTfLiteError;
  RunConvPool(*state->layer, input->dims->data[0], GetTensorData<int8_t>(input),
              GetTensorData<int8_t>(output), scratch);
  return kTfLiteOk;
}

}  // namespace
}  // namespace adapter
}  // namespace rnnpool

namespace tflite {

::rnnpool::adapter::Registration* Register_CONV_RNN_POOL() {
  static ::rnnpool::adapter::Registration registration = ::tflite::micro::RegisterOp(
      ::rnnpool::adapter::Init, ::rnnpool::adapter::Prepare, ::rnnpool::adapter::Eval);
  return &registration;
}

}  // namespace tflite
