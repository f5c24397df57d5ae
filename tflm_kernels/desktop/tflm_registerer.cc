// Adds RNNPool and the fused operators to TFLite Micro's Python interpreter:
//   runtime.Interpreter.from_bytes(model, custom_op_registerers=["RNNPoolTflmRegisterer"])
//
// The interpreter finds it by name among the global symbols: load the wheel's _runtime.so, then
// this library, both with RTLD_GLOBAL.

#include "RNNPool.h"
#include "python/tflite_micro/python_ops_resolver.h"

extern "C" __attribute__((visibility("default"))) bool RNNPoolTflmRegisterer(
    tflite::PythonOpsResolver* resolver) {
  return resolver->AddCustom("RNNPool", tflite::Register_RNN_POOL()) == kTfLiteOk &&
         resolver->AddCustom("ConvRNNPool", tflite::Register_CONV_RNN_POOL()) == kTfLiteOk &&
         resolver->AddCustom("InvertedResidual", tflite::Register_INVERTED_RESIDUAL()) == kTfLiteOk;
}
