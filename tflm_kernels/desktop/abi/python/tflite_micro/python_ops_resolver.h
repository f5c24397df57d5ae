// The op resolver of TFLite Micro's Python interpreter, which registerers receive: a table of
// 200 operators. Its AddCustom is a template that the wheel does not export, so the mirror writes
// the table entry itself.

#ifndef RNNPOOL_ABI_PYTHON_TFLITE_MICRO_PYTHON_OPS_RESOLVER_H_
#define RNNPOOL_ABI_PYTHON_TFLITE_MICRO_PYTHON_OPS_RESOLVER_H_

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite {

enum BuiltinOperator : int32_t { BuiltinOperator_CUSTOM = 32 };

class PythonOpsResolver {
 public:
  virtual const TFLMRegistration* FindOp(BuiltinOperator op) const = 0;
  virtual const TFLMRegistration* FindOp(const char* custom_name) const = 0;

  // Adds a custom operator; `name` must outlive the resolver. Fails when the table is full or
  // the name is taken.
  TfLiteStatus AddCustom(const char* name, const TFLMRegistration* registration) {
    if (used_ >= kCapacity || FindOp(name) != nullptr) return kTfLiteError;
    TFLMRegistration& entry = table_[used_++];
    entry = *registration;
    entry.builtin_code = BuiltinOperator_CUSTOM;
    entry.custom_name = name;
    return kTfLiteOk;
  }

 private:
  static constexpr unsigned int kCapacity = 200;
  TFLMRegistration table_[kCapacity];
  unsigned int used_;
};

}  // namespace tflite

#endif  // RNNPOOL_ABI_PYTHON_TFLITE_MICRO_PYTHON_OPS_RESOLVER_H_
