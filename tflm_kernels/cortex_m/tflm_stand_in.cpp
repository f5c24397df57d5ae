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
      input_count_(0),
      tensors_(),
      eval_(),
      scratch_(nullptr),
      evaluating_(false) {
  context.impl_ = this;
  context.AllocatePersistentBuffer = AllocatePersistent;
  context.RequestScratchBufferInArena = RequestScratch;
  context.GetScratchBuffer = GetScratch;

  const int map[4] = {layer.batch, layer.height, layer.width, layer.channels};
  AddInput(layer.is_float ? kTfLiteFloat32 : kTfLiteInt8, nullptr, map, 4);
  eval_[0].data.data = const_cast<void*>(layer.input);
  if (!layer.is_float) Quantize(0, &layer.input_scale, 1, layer.input_zero_point);
  output_bytes_ = layer.output_elements * (layer.is_float ? sizeof(float) : 1);
  if (layer.fused == nullptr) {
    AddPool(layer);
  } else if (IsBlock(layer)) {
    AddBlock(layer);
  } else {
    AddConvolutions(layer);
  }
  node.inputs = MakeArray<TfLiteIntArray>(indices_, input_count_);
  const int output_index[1] = {kOutput};
  node.outputs = MakeArray<TfLiteIntArray>(output_index, 1);
}

void StandInContext::AddPool(const Case& layer) {
  AddCell(layer, layer.cell1, layer.channels);
  AddCell(layer, layer.cell2, layer.cell1.units);
  const int pairs[2] = {2, 2};
  if (layer.zeta_nu != nullptr) AddInput(kTfLiteFloat32, layer.zeta_nu, pairs, 2);
  AddPoolOutput(layer, layer.height, layer.width);
}

void StandInContext::AddPoolOutput(const Case& layer, int height, int width) {
  rnnpool::Grid grid;
  // A geometry that cannot be leaves the operator to say so.
  if (rnnpool::PlanGrid(layer.geometry, height, width, &grid) != nullptr) {
    grid.out_height = grid.out_width = 1;
  }
  const int output[4] = {layer.batch, grid.out_height, grid.out_width, 4 * layer.cell2.units};
  SetTensor(kOutput, layer.is_float ? kTfLiteFloat32 : kTfLiteInt8, nullptr, output, 4);
  if (!layer.is_float) Quantize(kOutput, kOutputScale, 1, 0);
}

void StandInContext::AddBlock(const Case& layer) {
  const FusedCase& fused = *layer.fused;
  const rnnpool::ConvolutionSpec& filter = fused.stages[fused.count - 2];
  const rnnpool::ConvolutionSpec& project = fused.stages[fused.count - 1];
  const int expand_dims[2] = {filter.out_channels, layer.channels};
  const int filter_dims[3] = {filter.kernel_height, filter.kernel_width, filter.out_channels};
  const int project_dims[2] = {project.out_channels, filter.out_channels};
  if (fused.count == 3) {
    AddStage(fused.stages[0], expand_dims, 2);
  } else {
    indices_[input_count_++] = -1;
    indices_[input_count_++] = -1;
  }
  AddStage(filter, filter_dims, 3);
  AddStage(project, project_dims, 2);
  const int output[4] = {layer.batch, filter.out_height, filter.out_width, project.out_channels};
  SetTensor(kOutput, kTfLiteInt8, nullptr, output, 4);
  const rnnpool::OutputRange& range = fused.residual ? fused.add.range : project.range;
  Quantize(kOutput, kOutputScale, 1, range.zero_point);
}

void StandInContext::AddConvolutions(const Case& layer) {
  const FusedCase& fused = *layer.fused;
  int channels = layer.channels;
  for (int32_t i = 0; i < fused.count; ++i) {
    const rnnpool::ConvolutionSpec& stage = fused.stages[i];
    const int dims[4] = {stage.out_channels, stage.kernel_height, stage.kernel_width, channels};
    AddStage(stage, stage.depthwise ? dims + 1 : dims, stage.depthwise ? 3 : 4);
    channels = stage.out_channels;
  }
  AddCell(layer, layer.cell1, channels);
  AddCell(layer, layer.cell2, layer.cell1.units);
  const rnnpool::ConvolutionSpec& last = fused.stages[fused.count - 1];
  AddPoolOutput(layer, last.out_height, last.out_width);
}

// Weights, and the parameters that their table points into.
void StandInContext::AddStage(const rnnpool::ConvolutionSpec& stage, const int* dims, int rank) {
  const int parameters[2] = {3, stage.out_channels};
  AddInput(kTfLiteInt8, stage.weights, dims, rank);
  AddInput(kTfLiteInt32, stage.table.bias, parameters, 2);
}

int StandInContext::AddInput(TfLiteType type, const void* data, const int* dims, int rank) {
  const int index = input_count_++;
  indices_[index] = index;
  SetTensor(index, type, data, dims, rank);
  return index;
}

void StandInContext::SetTensor(int index, TfLiteType type, const void* data, const int* dims,
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

void StandInContext::AddCell(const Case& layer, const CaseCell& cell, int inputs) {
  const TfLiteType type = layer.is_float ? kTfLiteFloat32 : kTfLiteInt8;
  const TfLiteType bias_type = layer.is_float ? kTfLiteFloat32 : kTfLiteInt32;
  const int kernel_dims[2] = {cell.units, inputs};
  const int recurrent_dims[2] = {cell.units, cell.units};
  const int kernel = AddMatrix(type, cell.kernel, kernel_dims, cell.packed_kernel);
  const int recurrent = AddMatrix(type, cell.recurrent, recurrent_dims, cell.packed_recurrent);
  const int gate = AddInput(bias_type, cell.bias_gate, recurrent_dims, 1);
  const int update = AddInput(bias_type, cell.bias_update, recurrent_dims, 1);
  if (layer.is_float) return;
  Quantize(kernel, cell.kernel_scales, cell.kernel_scale_count, 0);
  Quantize(recurrent, cell.recurrent_scales, cell.recurrent_scale_count, 0);
  Quantize(gate, kBiasScale, 1, 0);
  Quantize(update, kBiasScale, 1, 0);
}

// A packed one is an array of bytes.
int StandInContext::AddMatrix(TfLiteType type, const void* data, const int* dims, size_t packed) {
  const int bytes[1] = {static_cast<int>(packed)};
  return packed == 0 ? AddInput(type, data, dims, 2) : AddInput(type, data, bytes, 1);
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
