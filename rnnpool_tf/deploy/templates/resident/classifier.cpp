#include "classifier.h"

#include "model.h"
#include "ops.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_log.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {

alignas(16) uint8_t arena[kArenaBytes];
tflite::MicroInterpreter* interpreter = nullptr;

}  // namespace

bool BeginClassifier() {
  const tflite::Model* model = tflite::GetModel(kModel);
  if (model->version() != TFLITE_SCHEMA_VERSION) {
    MicroPrintf("The model has schema version %d, this library knows %d.",
                static_cast<int>(model->version()), TFLITE_SCHEMA_VERSION);
    return false;
  }
  static Ops ops;
  if (!AddOps(ops)) return false;
  static tflite::MicroInterpreter instance(model, ops, arena, kArenaBytes);
  if (instance.AllocateTensors() != kTfLiteOk) {
    MicroPrintf("Allocation failed in an arena of %d bytes.", static_cast<int>(kArenaBytes));
    return false;
  }
  interpreter = &instance;
  return true;
}

int8_t* ClassifierInput() { return interpreter->typed_input_tensor<int8_t>(0); }

bool RunModel() { return interpreter->Invoke() == kTfLiteOk; }

const int8_t* Output(int index) { return interpreter->typed_output_tensor<int8_t>(index); }

size_t ArenaUsed() { return interpreter->arena_used_bytes(); }
