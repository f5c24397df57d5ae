// What an operator sees of TFLite Micro, without TFLite Micro: the context with its memory calls,
// and one node with its tensors. Stricter than the real thing: calls out of season end the program.

#ifndef RNNPOOL_CORTEX_M_TFLM_STAND_IN_H_
#define RNNPOOL_CORTEX_M_TFLM_STAND_IN_H_

#include <stdint.h>

#include "cases.h"
#include "tensorflow/lite/micro/kernels/kernel_util.h"

namespace cortex_m {

class StandInContext : public tflite::MicroContext {
 public:
  // The node of this case; inputs 0 to 9 as the operator's documentation lists them.
  explicit StandInContext(const Case& layer);

  // The output's memory; the arena's scratch memory follows, filled with garbage.
  void BeginEval();

  void* AllocatePersistentBuffer(size_t bytes) override;
  TfLiteStatus RequestScratchBufferInArena(size_t bytes, int* index) override;
  void* GetScratchBuffer(int index) override;
  TfLiteTensor* AllocateTempTfLiteTensor(int tensor_index) override;
  void DeallocateTempTfLiteTensor(TfLiteTensor* tensor) override;

  const TfLiteEvalTensor* eval_tensor(int tensor_index) const { return &eval_[tensor_index]; }

  TfLiteContext context;
  TfLiteNode node;
  uint32_t persistent_bytes;
  uint32_t scratch_bytes;
  int temporaries;  // handed out and not given back

  static const int kOutput = 10;  // index of the output tensor; inputs come before it

 private:
  void AddTensor(int index, TfLiteType type, const void* data, const int* dims, int rank);
  void Quantize(int index, const float* scales, int count, int zero_point);
  void AddCell(const Case& layer, const CaseCell& cell, int first, int inputs);

  TfLiteTensor tensors_[kOutput + 1];
  TfLiteEvalTensor eval_[kOutput + 1];
  size_t output_bytes_;
  void* scratch_;
  bool evaluating_;
};

// The sentences printed since the last call of ClearLog, joined by spaces.
const char* Log();
void ClearLog();

}  // namespace cortex_m

#endif  // RNNPOOL_CORTEX_M_TFLM_STAND_IN_H_
