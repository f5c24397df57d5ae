// Stands in for TensorFlow Lite Micro's interpreter: appends every input to the file "inputs" and
// reads its outputs from the file "scores", so that a test sees what a sketch computes around it.
// FAKE_OUTPUTS lists their sizes, FAKE_SCORES is the sum.
// A second input, of FAKE_WORKSPACE_BYTES, stands behind the first in the arena.
#ifndef FAKE_MICRO_INTERPRETER_H_
#define FAKE_MICRO_INTERPRETER_H_

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tensorflow/lite/c/common.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

#ifndef FAKE_WORKSPACE_BYTES
#define FAKE_WORKSPACE_BYTES 0
#endif

#ifndef FAKE_OUTPUTS
#define FAKE_OUTPUTS FAKE_SCORES
#endif

namespace tflite {

class MicroInterpreter {
 public:
  template <unsigned int N>
  MicroInterpreter(const Model*, const MicroMutableOpResolver<N>& resolver, uint8_t* arena,
                   size_t arena_size)
      : arena_(arena), arena_size_(arena_size), complete_(resolver.count() == N) {}

  TfLiteStatus AllocateTensors() {
    const bool aligned = reinterpret_cast<uintptr_t>(arena_) % 16 == 0;
    if (!complete_ || !aligned || arena_size_ < Aligned() + FAKE_WORKSPACE_BYTES) return kTfLiteError;
    return kTfLiteOk;
  }

  template <typename T>
  T* typed_input_tensor(int index) {
    return reinterpret_cast<T*>(index == 0 ? arena_ : arena_ + Aligned());
  }
  template <typename T>
  T* typed_output_tensor(int index) {
    static const int sizes[] = {FAKE_OUTPUTS};
    T* output = scores_;
    for (int i = 0; i < index; ++i) output += sizes[i];
    return output;
  }
  size_t arena_used_bytes() const { return arena_size_; }

  TfLiteStatus Invoke() {
    FILE* inputs = fopen("inputs", "ab");
    fwrite(arena_, 1, FAKE_INPUT_BYTES, inputs);
    fclose(inputs);
    static FILE* scores = fopen("scores", "rb");
    return fread(scores_, 1, FAKE_SCORES, scores) == FAKE_SCORES ? kTfLiteOk : kTfLiteError;
  }

 private:
  static size_t Aligned() { return (FAKE_INPUT_BYTES + 15) / 16 * 16; }

  uint8_t* arena_;
  size_t arena_size_;
  bool complete_;
  int8_t scores_[FAKE_SCORES];
};

}  // namespace tflite

#endif  // FAKE_MICRO_INTERPRETER_H_
