// The operator inside TensorFlow Lite and LiteRT: what the delegate and the registered operator
// have in common.

#ifndef RNNPOOL_LITERT_KERNEL_H_
#define RNNPOOL_LITERT_KERNEL_H_

#include <stddef.h>
#include <stdint.h>

#include <vector>

#include "rnnpool/rnnpool_core.h"
#include "rnnpool_tensor_view.h"

namespace rnnpool {
namespace litert {

constexpr char kOperatorName[] = "RNNPool";

class Kernel {
 public:
  // Keeps a copy of the options.
  Kernel(const void* options, size_t size);

  // Checks the node, prepares the weights, and gives the output its shape. May be called again
  // after an input was resized. Never throws.
  TfLiteStatus Prepare(TfLiteContext* context, const std::vector<int>& inputs,
                       const std::vector<int>& outputs);

  // Shares the maps of a batch among the runtime's recommended number of threads.
  TfLiteStatus Eval(TfLiteContext* context);

 private:
  TfLiteStatus PrepareChecked(TfLiteContext* context, const std::vector<int>& inputs,
                              const std::vector<int>& outputs);
  const char* PlanLayer(const NodeView& view, const CheckedNode& checked);

  template <typename Element, class Run>
  void RunMaps(TfLiteContext* context, const Run& run);

  std::vector<uint8_t> options_;
  int input_ = -1;
  int output_ = -1;
  CheckedNode checked_ = {};
  // In words: the alignment that the core asks for.
  std::vector<int32_t> weights_;
  std::vector<int32_t> scratch_;
  size_t scratch_words_ = 0;  // of one thread
  Int8Layer int8_;
  FloatLayer float_;
};

}  // namespace litert
}  // namespace rnnpool

#endif  // RNNPOOL_LITERT_KERNEL_H_
