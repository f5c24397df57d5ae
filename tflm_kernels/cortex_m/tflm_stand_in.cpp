#include "tflm_stand_in.h"

#include <stdarg.h>
#include <string.h>

#include "arena.h"
#include "semihosting.h"
#include "tensorflow/lite/micro/micro_log.h"

namespace cortex_m {
namespace {

const float kBiasScale[1] = {1.0f / 67108864.0f};
const float kOutputScale[1] = {1.0f / 128.0f};

char log_text[512];
size_t log_length;

void Append(char letter) {
  if (log_length + 1 < sizeof(log_text)) log_text[log_length++] = letter;
  log_text[log_length] = '\0';
}

void Append(const char* words) {
  while (*words != '\0') Append(*words++);
}

void AppendNumber(int number) {
  const unsigned int magnitude = number < 0 ? 0u - number : number;
  if (number < 0) Append('-');
  if (magnitude >= 10) AppendNumber(static_cast<int>(magnitude / 10));
  Append(static_cast<char>('0' + magnitude % 10));
}

void Require(bool condition, const char* sentence) {
  if (condition) return;
  Print(sentence);
  Print("\n");
  Exit(5);
}

StandInContext* Self(TfLiteContext* context) {
  return static_cast<StandInContext*>(context->impl_);
}

// The functions that TfLiteContext offers beside its MicroContext.
void* AllocatePersistent(TfLiteContext* context, size_t bytes) {
  return Self(context)->AllocatePersistentBuffer(bytes);
}
TfLiteStatus RequestScratch(TfLiteContext* context, size_t bytes, int* index) {
  return Self(context)->RequestScratchBufferInArena(bytes, index);
}
void* GetScratch(TfLiteContext* context, int index) {
  return Self(context)->GetScratchBuffer(index);
}

template <class Array, typename Value>
Array* MakeArray(const Value* values, int count) {
  Array* array = static_cast<Array*>(Allocate(sizeof(Array) + count * sizeof(Value)));
  array->size = count;
  for (int i = 0; i < count; ++i) array->data[i] = values[i];
  return array;
}

}  // namespace

StandInContext::StandInContext(const Case& layer)
    : context(),
      node(),
      persistent_bytes(0),
      scratch_bytes(0),
      temporaries(0),
      tensors_(),
      eval_(),
      scratch_(nullptr),
      evaluating_(false) {
  context.impl_ = this;
  context.AllocatePersistentBuffer = AllocatePersistent;
  context.RequestScratchBufferInArena = RequestScratch;
  context.GetScratchBuffer = GetScratch;

  const TfLiteType type = layer.is_float ? kTfLiteFloat32 : kTfLiteInt8;
  const int map[4] = {layer.batch, layer.height, layer.width, layer.channels};
  AddTensor(0, type, nullptr, map, 4);
  eval_[0].data.data = const_cast<void*>(layer.input);
  AddCell(layer, layer.cell1, 1, layer.channels);
  AddCell(layer, layer.cell2, 5, layer.cell1.units);
  const int pairs[2] = {2, 2};
  if (layer.zeta_nu != nullptr) AddTensor(9, kTfLiteFloat32, layer.zeta_nu, pairs, 2);

  rnnpool::Grid grid;
  // A geometry that cannot be leaves the operator to say so.
  if (rnnpool::PlanGrid(layer.geometry, layer.height, layer.width, &grid) != nullptr) {
    grid.out_height = grid.out_width = 1;
  }
  const int output[4] = {layer.batch, grid.out_height, grid.out_width, 4 * layer.cell2.units};
  AddTensor(kOutput, type, nullptr, output, 4);
  output_bytes_ = layer.output_elements * (layer.is_float ? sizeof(float) : 1);
  if (!layer.is_float) {
    Quantize(0, &layer.input_scale, 1, layer.input_zero_point);
    Quantize(kOutput, kOutputScale, 1, 0);
  }

  int indices[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  node.inputs = MakeArray<TfLiteIntArray>(indices, layer.zeta_nu == nullptr ? 9 : 10);
  const int output_index[1] = {kOutput};
  node.outputs = MakeArray<TfLiteIntArray>(output_index, 1);
}

void StandInContext::AddTensor(int index, TfLiteType type, const void* data, const int* dims,
                               int rank) {
  TfLiteTensor& tensor = tensors_[index];
  tensor.type = type;
  tensor.data.data = const_cast<void*>(data);
  tensor.dims = MakeArray<TfLiteIntArray>(dims, rank);
  tensor.allocation_type = data == nullptr ? kTfLiteArenaRw : kTfLiteMmapRo;
  eval_[index].type = type;
  eval_[index].data = tensor.data;
  eval_[index].dims = tensor.dims;
}

void StandInContext::Quantize(int index, const float* scales, int count, int zero_point) {
  TfLiteAffineQuantization* affine =
      static_cast<TfLiteAffineQuantization*>(Allocate(sizeof(TfLiteAffineQuantization)));
  affine->scale = MakeArray<TfLiteFloatArray>(scales, count);
  affine->zero_point = MakeArray<TfLiteIntArray>(&zero_point, 1);
  affine->quantized_dimension = 0;
  tensors_[index].quantization.type = kTfLiteAffineQuantization;
  tensors_[index].quantization.params = affine;
}

void StandInContext::AddCell(const Case& layer, const CaseCell& cell, int first, int inputs) {
  const TfLiteType type = layer.is_float ? kTfLiteFloat32 : kTfLiteInt8;
  const TfLiteType bias_type = layer.is_float ? kTfLiteFloat32 : kTfLiteInt32;
  const int kernel[2] = {cell.units, inputs};
  const int recurrent[2] = {cell.units, cell.units};
  AddTensor(first, type, cell.kernel, kernel, 2);
  AddTensor(first + 1, type, cell.recurrent, recurrent, 2);
  AddTensor(first + 2, bias_type, cell.bias_gate, &recurrent[0], 1);
  AddTensor(first + 3, bias_type, cell.bias_update, &recurrent[0], 1);
  if (layer.is_float) return;
  Quantize(first, cell.kernel_scales, cell.kernel_scale_count, 0);
  Quantize(first + 1, cell.recurrent_scales, cell.recurrent_scale_count, 0);
  Quantize(first + 2, kBiasScale, 1, 0);
  Quantize(first + 3, kBiasScale, 1, 0);
}

void StandInContext::BeginEval() {
  evaluating_ = true;
  eval_[kOutput].data.data = Allocate(output_bytes_);
  scratch_ = Allocate(scratch_bytes);
  memset(scratch_, 0xA5, scratch_bytes);
}

void* StandInContext::AllocatePersistentBuffer(size_t bytes) {
  Require(!evaluating_, "persistent memory was requested in Eval");
  persistent_bytes += static_cast<uint32_t>(bytes);
  return Allocate(bytes);
}

TfLiteStatus StandInContext::RequestScratchBufferInArena(size_t bytes, int* index) {
  Require(!evaluating_ && scratch_bytes == 0, "scratch memory was requested in Eval, or twice");
  scratch_bytes = static_cast<uint32_t>(bytes);
  *index = 0;
  return kTfLiteOk;
}

void* StandInContext::GetScratchBuffer(int index) {
  Require(evaluating_ && index == 0, "scratch memory was used before Eval");
  return scratch_;
}

TfLiteTensor* StandInContext::AllocateTempTfLiteTensor(int tensor_index) {
  Require(!evaluating_, "a full tensor was requested in Eval");
  ++temporaries;
  return &tensors_[tensor_index];
}

void StandInContext::DeallocateTempTfLiteTensor(TfLiteTensor*) { --temporaries; }

const char* Log() { return log_text; }

void ClearLog() {
  log_length = 0;
  log_text[0] = '\0';
}

}  // namespace cortex_m

namespace tflite {

MicroContext::~MicroContext() {}

TfLiteTensor* MicroContext::AllocateTempInputTensor(const TfLiteNode* node, int index) {
  const int tensor = node->inputs->data[index];
  return tensor < 0 ? nullptr : AllocateTempTfLiteTensor(tensor);
}

TfLiteTensor* MicroContext::AllocateTempOutputTensor(const TfLiteNode* node, int index) {
  return AllocateTempTfLiteTensor(node->outputs->data[index]);
}

namespace micro {

TFLMRegistration RegisterOp(void* (*init)(TfLiteContext*, const char*, size_t),
                            TfLiteStatus (*prepare)(TfLiteContext*, TfLiteNode*),
                            TfLiteStatus (*invoke)(TfLiteContext*, TfLiteNode*),
                            void (*free)(TfLiteContext*, void*),
                            void (*reset)(TfLiteContext*, void*)) {
  return {init, free, prepare, invoke, reset, 0, nullptr};
}

const TfLiteEvalTensor* GetEvalInput(const TfLiteContext* context, const TfLiteNode* node,
                                     int index) {
  return static_cast<const cortex_m::StandInContext*>(context->impl_)
      ->eval_tensor(node->inputs->data[index]);
}

TfLiteEvalTensor* GetEvalOutput(const TfLiteContext* context, const TfLiteNode* node, int index) {
  return const_cast<TfLiteEvalTensor*>(static_cast<const cortex_m::StandInContext*>(context->impl_)
                                           ->eval_tensor(node->outputs->data[index]));
}

}  // namespace micro
}  // namespace tflite

// %s and %d, which is all that the operator prints.
void MicroPrintf(const char* format, ...) {
  using namespace cortex_m;
  va_list arguments;
  va_start(arguments, format);
  if (log_length > 0) Append(' ');
  for (const char* letter = format; *letter != '\0'; ++letter) {
    if (*letter != '%') {
      Append(*letter);
    } else if (*++letter == 's') {
      Append(va_arg(arguments, const char*));
    } else {
      AppendNumber(va_arg(arguments, int));
    }
  }
  va_end(arguments);
}

// The table of virtual functions names it; nothing is ever deleted here.
void operator delete(void*) noexcept {}
