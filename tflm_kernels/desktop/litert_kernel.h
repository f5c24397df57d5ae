// A custom operator inside TensorFlow Lite and LiteRT: what the delegate and the registered
// operators have in common.

#ifndef RNNPOOL_LITERT_KERNEL_H_
#define RNNPOOL_LITERT_KERNEL_H_

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <vector>

#include "rnnpool_tensor_view.h"

namespace rnnpool {
namespace litert {

// One node. Operators say what is particular to them in PlanNode and Run.
class Kernel {
 public:
  // Keeps a copy of the options.
  Kernel(const char* operator_name, const void* options, size_t size);
  virtual ~Kernel() = default;

  // Checks the node, prepares the weights, and gives the output its shape. May be called again
  // after an input was resized. Never throws.
  TfLiteStatus Prepare(TfLiteContext* context, const std::vector<int>& inputs,
                       const std::vector<int>& outputs);

  // Shares the maps of a batch among the runtime's recommended number of threads.
  TfLiteStatus Eval(TfLiteContext* context);

 protected:
  // What a node needs, and gives, for input 0.
  struct Plan {
    std::array<int, 4> output_shape;  // of the whole batch, which comes first
    size_t input_map_bytes;           // of one map
    size_t output_map_bytes;
    size_t scratch_bytes;  // of one thread
  };

  // Checks the node and gets it ready to run. Returns false after reporting. The view lasts as
  // long as the call.
  virtual bool PlanNode(const NodeView& node, const Report& report, Plan* plan) = 0;

  // Computes `batch` maps with plan.scratch_bytes at `scratch`, which is aligned to 8 bytes. Called
  // by several threads at a time.
  virtual void Run(int batch, const void* input, void* output, void* scratch) const = 0;

 private:
  TfLiteStatus PrepareChecked(TfLiteContext* context, const std::vector<int>& inputs,
                              const std::vector<int>& outputs);
  void RunMaps(TfLiteContext* context);
  size_t ScratchWords() const;  // of one thread

  const char* operator_name_;
  std::vector<uint8_t> options_;
  int input_ = -1;
  int output_ = -1;
  Plan plan_ = {};
  int parts_ = 0;  // of the batch, one for each thread
  std::vector<int64_t> scratch_;
};

}  // namespace litert
}  // namespace rnnpool

#endif  // RNNPOOL_LITERT_KERNEL_H_
