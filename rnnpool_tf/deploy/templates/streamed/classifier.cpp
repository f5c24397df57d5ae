#include "classifier.h"

#include <RNNPool.h>
#include <rnnpool/line_stream.h>

#include "front.h"
#include "model.h"
#include "ops.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_log.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {

constexpr rnnpool::PixelFormat kLineFormat = rnnpool::PixelFormat::${line_format};

alignas(16) uint8_t arena[kArenaBytes];
uint8_t line[kLineBytes];
rnnpool::LineStream stream;
tflite::MicroInterpreter* interpreter = nullptr;

}  // namespace

bool BeginClassifier() {
  const char* problem = stream.Open(${front}::kImage, sizeof(${front}::kImage));
  if (problem != nullptr) {
    MicroPrintf("%s", problem);
    return false;
  }
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

bool BeginPicture() {
  // The second input is memory for the stream, which the interpreter needs while it runs only.
  const rnnpool::LineStatus status =
      stream.Begin(interpreter->typed_input_tensor<int8_t>(0), kMapBytes,
                   interpreter->typed_input_tensor<int8_t>(1), ${front}::kWorkspaceBytes);
  return status == rnnpool::LineStatus::kOk;
}

uint8_t* LineBuffer() { return line; }

bool FeedLine(int y) {
  return stream.Feed(y, line, kLineBytes, kLineFormat) == rnnpool::LineStatus::kOk;
}

const int8_t* Map() { return interpreter->typed_input_tensor<int8_t>(0); }

bool RunModel() { return stream.finished() && interpreter->Invoke() == kTfLiteOk; }

const int8_t* Output(int index) { return interpreter->typed_output_tensor<int8_t>(index); }

size_t ArenaUsed() { return interpreter->arena_used_bytes(); }
