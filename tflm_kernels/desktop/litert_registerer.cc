// RNNPool and the fused operators as registered operators of tf.lite, for InterpreterWithCustomOps
// and for calibration by the converter (target_spec._experimental_custom_op_registerers =
// ["RNNPoolRegisterer"]).
//
// TensorFlow finds RNNPoolRegisterer by name among the global symbols.

#include <dlfcn.h>
#include <stdio.h>

#include <vector>

#include "litert_operators.h"
#include "tensorflow/lite/mutable_op_resolver.h"

namespace {

using rnnpool::litert::Kernel;

std::vector<int> ToVector(const TfLiteIntArray* array) {
  return std::vector<int>(array->data, array->data + array->size);
}

// The runtime tells Init the options, but not which operator they belong to.
template <int kIndex>
void* Init(TfLiteContext*, const char* options, size_t size) {
  return rnnpool::litert::kOperators[kIndex].make(options, size).release();
}

void Free(TfLiteContext*, void* kernel) { delete static_cast<Kernel*>(kernel); }

TfLiteStatus Prepare(TfLiteContext* context, TfLiteNode* node) {
  Kernel* kernel = static_cast<Kernel*>(node->user_data);
  if (kernel == nullptr) return kTfLiteError;
  return kernel->Prepare(context, ToVector(node->inputs), ToVector(node->outputs));
}

TfLiteStatus Eval(TfLiteContext* context, TfLiteNode* node) {
  return static_cast<Kernel*>(node->user_data)->Eval(context);
}

tflite::AddCustomFunction FindAddCustom() {
  void* symbol = dlsym(RTLD_DEFAULT, tflite::kAddCustomSymbol);
  if (symbol == nullptr) {
    // Python loads TensorFlow with local symbols. It is certainly loaded, as it is our caller.
    void* tensorflow = dlopen("libtensorflow_cc.so.2", RTLD_LAZY | RTLD_NOLOAD);
    if (tensorflow != nullptr) symbol = dlsym(tensorflow, tflite::kAddCustomSymbol);
  }
  return reinterpret_cast<tflite::AddCustomFunction>(symbol);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void RNNPoolRegisterer(
    tflite::MutableOpResolver* resolver) {
  const tflite::AddCustomFunction add_custom = FindAddCustom();
  if (add_custom == nullptr) {
    fprintf(stderr, "RNNPoolRegisterer: this TensorFlow does not export AddCustom\n");
    return;
  }
  void* (*const inits[])(TfLiteContext*, const char*, size_t) = {Init<0>, Init<1>, Init<2>};
  static_assert(sizeof(inits) / sizeof(inits[0]) == rnnpool::litert::kOperatorCount,
                "an Init for every operator");
  TfLiteRegistration registration = {};
  registration.free = Free;
  registration.prepare = Prepare;
  registration.invoke = Eval;
  for (int i = 0; i < rnnpool::litert::kOperatorCount; ++i) {
    registration.init = inits[i];
    add_custom(resolver, rnnpool::litert::kOperators[i].name, &registration, 1);
  }
}
