// The model to run with what it must give. Python generates the definitions
// (rnnpool_tf.bench.m4.network_sources).

#ifndef RNNPOOL_CORTEX_M_NETWORK_NETWORK_H_
#define RNNPOOL_CORTEX_M_NETWORK_NETWORK_H_

#include <stddef.h>
#include <stdint.h>

#include "tensorflow/lite/micro/micro_op_resolver.h"

namespace cortex_m {

struct Bytes {
  const uint8_t* data;
  size_t size;
};

extern const uint8_t* const kModel;  // a .tflite file, aligned to 16 bytes
extern const Bytes kInput;
extern const Bytes kOutputs[];  // by TFLite Micro on the desktop, from the same input
extern const size_t kOutputCount;

// With exactly the operators that the model has, or null when TFLite Micro refuses one.
const tflite::MicroOpResolver* MakeResolver();

}  // namespace cortex_m

#endif  // RNNPOOL_CORTEX_M_NETWORK_NETWORK_H_
