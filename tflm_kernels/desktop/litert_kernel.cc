#include "litert_kernel.h"

#include <stdlib.h>

#include <algorithm>
#include <exception>
#include <system_error>
#include <thread>

namespace rnnpool {
namespace litert {
namespace {

void SendReport(void* context, const char* format, const char* first, const char* second, int a,
                int b, int c) {
  TfLiteContext* tflite = static_cast<TfLiteContext*>(context);
  tflite->ReportError(tflite, format, first, second, a, b, c);
}

const TfLiteTensor* TensorAt(const TfLiteContext* context, int index) {
  const bool exists = index >= 0 && static_cast<size_t>(index) < context->tensors_size;
  return exists ? &context->tensors[index] : nullptr;
}

// The runtime takes the array over and frees it.
TfLiteIntArray* NewIntArray(const std::array<int, 4>& values) {
  TfLiteIntArray* array =
      static_cast<TfLiteIntArray*>(malloc(sizeof(TfLiteIntArray) + values.size() * sizeof(int)));
  if (array == nullptr) return nullptr;
  array->size = static_cast<int>(values.size());
  std::copy(values.begin(), values.end(), array->data);
  return array;
}

}  // namespace

Kernel::Kernel(const char* operator_name, const void* options, size_t size)
    : operator_name_(operator_name),
      options_(static_cast<const uint8_t*>(options), static_cast<const uint8_t*>(options) + size) {}

TfLiteStatus Kernel::Prepare(TfLiteContext* context, const std::vector<int>& inputs,
                             const std::vector<int>& outputs) {
  try {
    return PrepareChecked(context, inputs, outputs);
  } catch (const std::exception& error) {
    context->ReportError(context, "%s: %s", operator_name_, error.what());
    return kTfLiteError;
  }
}

TfLiteStatus Kernel::PrepareChecked(TfLiteContext* context, const std::vector<int>& inputs,
                                    const std::vector<int>& outputs) {
  const Report report = {SendReport, context, operator_name_};
  NodeView view = {};
  view.input_count = static_cast<int>(inputs.size());
  for (int i = 0; i < std::min(view.input_count, kMaxNodeInputs); ++i) {
    view.inputs[i] = adapter::ViewOf(TensorAt(context, inputs[i]));
  }
  view.output_count = static_cast<int>(outputs.size());
  if (view.output_count > 0) view.output = adapter::ViewOf(TensorAt(context, outputs[0]));
  view.output_has_shape = false;
  view.options = options_.data();
  view.options_size = options_.size();

  if (!PlanNode(view, report, &plan_)) return kTfLiteError;
  input_ = inputs[0];
  output_ = outputs[0];
  parts_ = std::min(std::max(context->recommended_num_threads, 1), plan_.output_shape[0]);
  scratch_.resize(ScratchWords() * parts_);

  TfLiteIntArray* shape = NewIntArray(plan_.output_shape);
  if (shape == nullptr) return kTfLiteError;
  return context->ResizeTensor(context, &context->tensors[output_], shape);
}

size_t Kernel::ScratchWords() const {
  return (plan_.scratch_bytes + sizeof(scratch_[0]) - 1) / sizeof(scratch_[0]);
}

void Kernel::RunMaps(TfLiteContext* context) {
  const char* input = context->tensors[input_].data.raw;
  char* output = context->tensors[output_].data.raw;
  const int batch = plan_.output_shape[0];
  const auto run_part = [&](int part) {
    const int first = static_cast<int>(int64_t{batch} * part / parts_);
    const int last = static_cast<int>(int64_t{batch} * (part + 1) / parts_);
    Run(last - first, input + first * plan_.input_map_bytes,
        output + first * plan_.output_map_bytes, scratch_.data() + part * ScratchWords());
  };
  std::vector<std::thread> threads;
  threads.reserve(parts_ - 1);
  for (int part = 1; part < parts_; ++part) {
    try {
      threads.emplace_back(run_part, part);
    } catch (const std::system_error&) {  // no thread to be had
      run_part(part);
    }
  }
  run_part(0);
  for (std::thread& thread : threads) thread.join();
}

TfLiteStatus Kernel::Eval(TfLiteContext* context) {
  // A delegated node whose output nobody reads gets no memory for it.
  if (context->tensors[output_].data.data == nullptr) return kTfLiteOk;
  try {
    RunMaps(context);
  } catch (const std::exception& error) {
    context->ReportError(context, "%s: %s", operator_name_, error.what());
    return kTfLiteError;
  }
  return kTfLiteOk;
}

}  // namespace litert
}  // namespace rnnpool
