// Prepare checks everything; Eval only puts the block together again from the node's tensors, so
// that the arena's persistent part holds a few bytes per node and no copy of what tensors hold.

#include "inverted_residual_op.h"

#include "inverted_residual_node.h"

namespace rnnpool {
namespace adapter {
namespace {

struct NodeState {
  OptionBytes options;
  InvertedResidualSettings settings;
  int scratch;
};

const Report kReport = {PrintReport, nullptr, kInvertedResidualName};

void* Init(TfLiteContext* context, const char* options, size_t size) {
  return InitState<NodeState>(context, kReport, options, size);
}

TfLiteStatus Prepare(TfLiteContext* context, TfLiteNode* node) {
  NodeState* state = static_cast<NodeState*>(node->user_data);
  if (state == nullptr) return kTfLiteError;  // Init has said why
  const BorrowedTensors tensors(context, node, state->options);
  InvertedResidual layer;
  if (!CheckInvertedResidual(tensors.view(), kReport, &state->settings, &layer)) {
    return kTfLiteError;
  }
  return context->RequestScratchBufferInArena(context, layer.workspace_bytes, &state->scratch);
}

Operand OperandOf(const TfLiteEvalTensor* tensor) {
  const Operand operand = {tensor->dims->data, tensor->data.data};
  return operand;
}

TfLiteStatus Eval(TfLiteContext* context, TfLiteNode* node) {
  const NodeState* state = static_cast<const NodeState*>(node->user_data);
  Operand inputs[kBlockInputs] = {};
  for (int i = 0; i < node->inputs->size; ++i) {
    if (node->inputs->data[i] >= 0) inputs[i] = OperandOf(GetEvalInput(context, node, i));
  }
  TfLiteEvalTensor* output = GetEvalOutput(context, node, 0);
  void* scratch = Scratch(context, kReport, state->scratch);
  if (scratch == nullptr) return kTfLiteError;
  InvertedResidual layer;
  MakeInvertedResidual(state->settings, inputs, output->dims->data, &layer);
  RunInvertedResidual(layer, inputs[kBlockInput].dims[0],
                      static_cast<const int8_t*>(inputs[kBlockInput].data),
                      GetTensorData<int8_t>(output), scratch);
  return kTfLiteOk;
}

}  // namespace
}  // namespace adapter
}  // namespace rnnpool

namespace tflite {

::rnnpool::adapter::Registration* Register_INVERTED_RESIDUAL() {
  static ::rnnpool::adapter::Registration registration = ::tflite::micro::RegisterOp(
      ::rnnpool::adapter::Init, ::rnnpool::adapter::Prepare, ::rnnpool::adapter::Eval);
  return &registration;
}

}  // namespace tflite
