// An external delegate that runs RNNPool and the fused operators in TensorFlow Lite and LiteRT:
//   Interpreter(model_path, experimental_delegates=[load_delegate("librnnpool.so")])
//
// It takes every node of ours in the model, each as a partition of its own, and leaves all other
// nodes to the runtime.

#include <memory>
#include <new>
#include <vector>

#include "litert_operators.h"

namespace {

constexpr int32_t kBuiltinCustom = 32;
constexpr int32_t kBuiltinDelegate = 51;

std::vector<int> ToVector(const TfLiteIntArray* array) {
  return std::vector<int>(array->data, array->data + array->size);
}

// The node that was replaced knows its inputs in the operator's order, the delegate's node only
// as a set.
struct DelegatedNode {
  DelegatedNode(const rnnpool::litert::Operator& type, const TfLiteNode& node)
      : kernel(type.make(node.custom_initial_data,
                         static_cast<size_t>(node.custom_initial_data_size))),
        inputs(ToVector(node.inputs)),
        outputs(ToVector(node.outputs)) {}

  std::unique_ptr<rnnpool::litert::Kernel> kernel;
  std::vector<int> inputs;
  std::vector<int> outputs;
};

// Null when the node is none of ours.
const rnnpool::litert::Operator* OperatorOf(const TfLiteRegistration& registration) {
  if (registration.builtin_code != kBuiltinCustom || registration.custom_name == nullptr) {
    return nullptr;
  }
  return rnnpool::litert::FindOperator(registration.custom_name);
}

void* Init(TfLiteContext* context, const char* buffer, size_t) {
  const TfLiteDelegateParams* params = reinterpret_cast<const TfLiteDelegateParams*>(buffer);
  TfLiteNode* node;
  TfLiteRegistration* registration;
  if (context->GetNodeAndRegistration(context, params->nodes_to_replace->data[0], &node,
                                      &registration) != kTfLiteOk) {
    return nullptr;
  }
  return new (std::nothrow) DelegatedNode(*OperatorOf(*registration), *node);
}

void Free(TfLiteContext*, void* node) { delete static_cast<DelegatedNode*>(node); }

TfLiteStatus PrepareNode(TfLiteContext* context, TfLiteNode* node) {
  DelegatedNode* delegated = static_cast<DelegatedNode*>(node->user_data);
  if (delegated == nullptr) return kTfLiteError;
  return delegated->kernel->Prepare(context, delegated->inputs, delegated->outputs);
}

TfLiteStatus EvalNode(TfLiteContext* context, TfLiteNode* node) {
  return static_cast<DelegatedNode*>(node->user_data)->kernel->Eval(context);
}

TfLiteStatus PrepareDelegate(TfLiteContext* context, TfLiteDelegate* delegate) {
  TfLiteIntArray* plan;
  if (context->GetExecutionPlan(context, &plan) != kTfLiteOk) return kTfLiteError;

  TfLiteRegistration replacement = {};
  replacement.init = Init;
  replacement.free = Free;
  replacement.prepare = PrepareNode;
  replacement.invoke = EvalNode;
  replacement.builtin_code = kBuiltinDelegate;
  replacement.custom_name = "RNNPoolDelegate";
  replacement.version = 1;

  // The plan changes with every replacement; nodes keep their indices.
  for (const int index : ToVector(plan)) {
    TfLiteNode* node;
    TfLiteRegistration* registration;
    if (context->GetNodeAndRegistration(context, index, &node, &registration) != kTfLiteOk) {
      return kTfLiteError;
    }
    if (OperatorOf(*registration) == nullptr) continue;
    // One partition per node: adjacent nodes in one partition would share one kernel.
    alignas(TfLiteIntArray) int one_node[2] = {1, index};
    if (context->ReplaceNodeSubsetsWithDelegateKernels(context, replacement,
                                                       reinterpret_cast<TfLiteIntArray*>(one_node),
                                                       delegate) != kTfLiteOk) {
      return kTfLiteError;
    }
  }
  return kTfLiteOk;
}

}  // namespace

// The two symbols that load_delegate looks for. There are no options.
extern "C" __attribute__((visibility("default"))) TfLiteDelegate* tflite_plugin_create_delegate(
    char**, char**, size_t, void (*)(const char*)) {
  TfLiteDelegate* delegate = new (std::nothrow) TfLiteDelegate();
  if (delegate == nullptr) return nullptr;
  delegate->Prepare = PrepareDelegate;
  delegate->flags = kTfLiteDelegateFlagsAllowDynamicTensors;
  return delegate;
}

extern "C" __attribute__((visibility("default"))) void tflite_plugin_destroy_delegate(
    TfLiteDelegate* delegate) {
  delete delegate;
}
