// Counts the instructions of every operator of a run, called by TFLite Micro's interpreter.

#ifndef RNNPOOL_CORTEX_M_NETWORK_OPERATOR_PROFILER_H_
#define RNNPOOL_CORTEX_M_NETWORK_OPERATOR_PROFILER_H_

#include <stdint.h>

#include "instruction_counter.h"
#include "tensorflow/lite/micro/micro_profiler_interface.h"

namespace cortex_m {

// Silent until it has a counter. Then it prints "operator <instructions> <name>" after each, which
// is not counted. Operators do not nest: models with control flow are not run here.
class OperatorProfiler : public tflite::MicroProfilerInterface {
 public:
  OperatorProfiler() : counter_(nullptr), tag_(nullptr) {}

  void Use(InstructionCounter* counter) { counter_ = counter; }

  uint32_t BeginEvent(const char* tag) override;
  void EndEvent(uint32_t event) override;

 private:
  InstructionCounter* counter_;
  const char* tag_;
};

}  // namespace cortex_m

#endif  // RNNPOOL_CORTEX_M_NETWORK_OPERATOR_PROFILER_H_
