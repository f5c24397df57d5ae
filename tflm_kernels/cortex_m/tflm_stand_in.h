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
  // The node of this case; inputs as its operator's documentation lists them.
  explicit StandInContext(const Case& layer);

  // The output's memory; the arena's scratch memory follows, filled with garbage.
  void BeginEval();

  void* AllocatePersistentBuffer(size_t bytes) override;
  TfLiteStatus RequestScratchBufferInArena(size_t bytes, int* index) override;
  void* GetScratchBuffer(int index) override;
  TfLiteTensor* AllocateTempTfLiteTensor(int tensor_index) override;
  void DeallocateTempTfLiteTensor(TfLiteTensor* tensor) override;

  const TfLiteEvalTensor* eval_tensor(int tensor_index) const { return &eval_[tensor_index]; }
  const void* output() const { return eval_[kOutput].data.data; }

  TfLiteContext context;
  TfLiteNode node;
  uint32_t persistent_bytes;
  uint32_t scratch_bytes;
  int temporaries;  // handed out and not given back

 private:
  static const int kInputs = 17;  // as many as an operator may have; those that it has come first
  static const int kOutput = kInputs;

  int AddMatrix(TfLiteType type, const void* data, const int* dims, size_t packed);
  int AddInput(TfLiteType type, const void* data, const int* dims, int rank);
  void SetTensor(int index, TfLiteType type, const void* data, const int* dims, int rank);
  void Quantize(int index, const float* scales, int count, int zero_point);
  void AddPool(const Case& layer);
  void AddBlock(const Case& layer);
  void AddConvolutions(const Case& layer);
  void AddStage(const rnnpool::ConvolutionSpec& stage, const int* dims, int rank);
  void AddCell(const Case& layer, const CaseCell& cell, int inputs);
  void AddPoolOutput(const Case& layer, int height, int width);

  int indices_[kInputs];  // of the node's inputs; -1 for one left out
  int input_count_;
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
