#include "litert_kernel.h"

#include <stdlib.h>

#include <algorithm>
#include <exception>
#include <system_error>
#include <thread>

namespace rnnpool {
namespace litert {
namespace {

void SendReport(void* context, const char* format, const char* text, int a, int b) {
  TfLiteContext* tflite = static_cast<TfLiteContext*>(context);
  tflite->ReportError(tflite, format, text, a, b);
}

const TfLiteTensor* TensorAt(const TfLiteContext* context, int index) {
  const bool exists = index >= 0 && static_cast<size_t>(index) < context->tensors_size;
  return exists ? &context->tensors[index] : nullptr;
}

// The runtime takes the array over and frees it.
TfLiteIntArray* NewIntArray(std::initializer_list<int> values) {
  TfLiteIntArray* array = static_cast<TfLiteIntArray*>(
      malloc(sizeof(TfLiteIntArray) + values.size() * sizeof(int)));
  if (array == nullptr) return nullptr;
  array->size = static_cast<int>(values.size());
  std::copy(values.begin(), values.end(), array->data);
  return array;
}

}  // namespace

Kernel::Kernel(const void* options, size_t size)
    : options_(static_cast<const uint8_t*>(options), static_cast<const uint8_t*>(options) + size) {
}

TfLiteStatus Kernel::Prepare(TfLiteContext* context, const std::vector<int>& inputs,
                             const std::vector<int>& outputs) {
  try {
    return PrepareChecked(context, inputs, outputs);
  } catch (const std::exception& error) {
    context->ReportError(context, "RNNPool: %s", error.what());
    return kTfLiteError;
  }
}

TfLiteStatus Kernel::PrepareChecked(TfLiteContext* context, const std::vector<int>& inputs,
                                    const std::vector<int>& outputs) {
  const Report report = {SendReport, context};
  NodeView view = {};
  view.input_count = static_cast<int>(inputs.size());
  for (int i = 0; i < std::min(view.input_count, kMaxInputs); ++i) {
    view.inputs[i] = adapter::ViewOf(TensorAt(context, inputs[i]));
  }
  view.output_count = static_cast<int>(outputs.size());
  if (view.output_count > 0) view.output = adapter::ViewOf(TensorAt(context, outputs[0]));
  view.output_has_shape = false;
  view.options = options_.data();
  view.options_size = options_.size();

  if (!CheckNode(view, report, &checked_)) return kTfLiteError;
  const char* problem = PlanLayer(view, checked_);
  if (problem != nullptr) {
    report.Fail("RNNPool: %s", problem);
    return kTfLiteError;
  }
  input_ = inputs[0];
  output_ = outputs[0];
  const int threads = std::min(std::max(context->recommended_num_threads, 1), checked_.batch);
  scratch_.resize(scratch_words_ * threads);

  TfLiteIntArray* shape = NewIntArray(
      {checked_.batch, checked_.grid.out_height, checked_.grid.out_width, 4 * checked_.hidden2});
  if (shape == nullptr) return kTfLiteError;
  return context->ResizeTensor(context, &context->tensors[output_], shape);
}

const char* Kernel::PlanLayer(const NodeView& view, const CheckedNode& checked) {
  if (checked.type == ElementType::kFloat32) {
    const char* problem = PlanFloat(MakeFloatSpec(view, checked), &float_);
    scratch_words_ = problem == nullptr ? (float_.scratch.bytes + 3) / 4 : 0;
    return problem;
  }
  const Int8Spec spec = MakeInt8Spec(view, checked);
  Int8Plan plan;
  const char* problem = PlanInt8(spec, &plan);
  if (problem != nullptr) return problem;
  weights_.resize((plan.persistent_bytes + 3) / 4);
  BuildInt8(spec, plan, weights_.data(), &int8_);
  scratch_words_ = (plan.scratch.bytes + 3) / 4;
  return nullptr;
}

template <typename Element, class Run>
void Kernel::RunMaps(TfLiteContext* context, const Run& run) {
  const Element* input = static_cast<const Element*>(context->tensors[input_].data.data);
  Element* output = static_cast<Element*>(context->tensors[output_].data.data);
  const size_t input_map = size_t{1} * checked_.height * checked_.width * checked_.channels;
  const size_t output_map =
      size_t{4} * checked_.grid.out_height * checked_.grid.out_width * checked_.hidden2;
  const int parts =
      scratch_words_ == 0 ? 1 : static_cast<int>(scratch_.size() / scratch_words_);
  const auto run_part = [&](int part) {
    const int first = static_cast<int>(int64_t{checked_.batch} * part / parts);
    const int last = static_cast<int>(int64_t{checked_.batch} * (part + 1) / parts);
    run(last - first, input + first * input_map, output + first * output_map,
        scratch_.data() + part * scratch_words_);
  };
  std::vector<std::thread> threads;
  threads.reserve(parts - 1);
  for (int part = 1; part < parts; ++part) {
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
    if (checked_.type == ElementType::kInt8) {
      RunMaps<int8_t>(context, [this](int batch, const int8_t* x, int8_t* y, void* scratch) {
        RunInt8(int8_, batch, x, y, scratch);
      });
    } else {
      RunMaps<float>(context, [this](int batch, const float* x, float* y, void* scratch) {
        RunFloat(float_, batch, x, y, scratch);
      });
    }
  } catch (const std::exception& error) {
    context->ReportError(context, "RNNPool: %s", error.what());
    return kTfLiteError;
  }
  return kTfLiteOk;
}

}  // namespace litert
}  // namespace rnnpool
