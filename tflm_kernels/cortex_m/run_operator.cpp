#include <string.h>

#include "RNNPool.h"
#include "arena.h"
#include "cases.h"
#include "measure.h"
#include "tflm_stand_in.h"

namespace cortex_m {
namespace {

const TFLMRegistration& RegistrationOf(const Case& layer) {
  if (layer.fused == nullptr) return *tflite::Register_RNN_POOL();
  return IsBlock(layer) ? *tflite::Register_INVERTED_RESIDUAL() : *tflite::Register_CONV_RNN_POOL();
}

const char* Evaluate(const TFLMRegistration& registration, StandInContext* tflm) {
  return registration.invoke(&tflm->context, &tflm->node) == kTfLiteOk ? nullptr : "Eval failed.";
}

}  // namespace

// As TFLite Micro does it: Init, Prepare, Eval; then Reset, where the operator has one, and Eval
// again over a spoilt arena, which must not change a byte.
void RunOperator(const Case& layer, Outcome* outcome) {
  const TFLMRegistration& registration = RegistrationOf(layer);
  StandInContext tflm(layer);
  ClearLog();

  TfLiteStatus status = kTfLiteError;
  const auto prepare = [&] {
    tflm.node.user_data = registration.init(
        &tflm.context, reinterpret_cast<const char*>(layer.options), layer.options_size);
    status = registration.prepare(&tflm.context, &tflm.node);
  };
  Measure(prepare, &outcome->prepare_instructions, &outcome->prepare_stack_bytes);
  if (tflm.temporaries != 0) outcome->refusal = "Prepare kept temporary tensors.";
  if (status != kTfLiteOk) outcome->refusal = Log();
  if (outcome->refusal != nullptr) return;
  outcome->persistent_bytes = tflm.persistent_bytes;
  outcome->scratch_bytes = tflm.scratch_bytes;

  tflm.BeginEval();
  const auto run = [&] { outcome->refusal = Evaluate(registration, &tflm); };
  Measure(run, &outcome->instructions, &outcome->stack_bytes);
  const void* output = tflm.output();
  outcome->output = output;

  if (registration.reset != nullptr) registration.reset(&tflm.context, tflm.node.user_data);
  tflm.BeginEval();
  const void* again = tflm.output();
  const char* problem = Evaluate(registration, &tflm);
  if (problem != nullptr) outcome->refusal = problem;
  const size_t bytes = layer.output_elements * (layer.is_float ? sizeof(float) : 1);
  if (memcmp(output, again, bytes) != 0) {
    outcome->refusal = "The second Eval gave another output.";
  }
}

}  // namespace cortex_m
