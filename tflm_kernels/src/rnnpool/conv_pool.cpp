#include "rnnpool/conv_pool.h"

namespace rnnpool {
namespace {

const char kTooLarge[] = "The layer is too large: its memory would exceed 2 GiB.";
const char kBadSide[] =
    "A convolution's sizes and strides must be in 1..32767, its padding in 0..32767.";
const int64_t kLargest = INT32_MAX;
const int32_t kMaxSide = 32767;

int64_t Align(int64_t bytes) { return (bytes + 3) & ~int64_t(3); }

bool IsSide(int32_t value, int32_t smallest) { return value >= smallest && value <= kMaxSide; }

// The input as if a stage had produced it.
ConvolutionStage InputOf(const ConvPoolSpec& spec) {
  ConvolutionStage stage = ConvolutionStage();
  stage.out_height = spec.height;
  stage.row.out_width = spec.width;
  stage.row.out_channels = spec.channels;
  stage.row.range.zero_point = spec.zero_point;
  return stage;
}

// The stage that applies `spec` to what `before` produces.
ConvolutionStage StageAfter(const ConvolutionStage& before, const ConvolutionSpec& spec) {
  ConvolutionStage stage;
  stage.row.in_width = before.row.out_width;
  stage.row.in_channels = before.row.out_channels;
  stage.row.kernel_height = spec.kernel_height;
  stage.row.kernel_width = spec.kernel_width;
  stage.row.stride_width = spec.stride_width;
  stage.row.pad_left = spec.pad_left;
  stage.row.out_width = spec.out_width;
  stage.row.out_channels = spec.out_channels;
  stage.row.input_zero_point = before.row.range.zero_point;
  stage.row.weights = spec.weights;
  stage.row.table = spec.table;
  stage.row.range = spec.range;
  stage.row.depthwise = spec.depthwise;
  stage.in_height = before.out_height;
  stage.stride_height = spec.stride_height;
  stage.pad_top = spec.pad_top;
  stage.out_height = spec.out_height;
  stage.capacity = stage.in_height < spec.kernel_height ? stage.in_height : spec.kernel_height;
  return stage;
}

// Every map is below 2 GiB, too, so that positions in it fit int32.
const char* CheckStage(const ConvolutionStage& stage) {
  if (!IsSide(stage.in_height, 1) || !IsSide(stage.out_height, 1) ||
      !IsSide(stage.stride_height, 1) || !IsSide(stage.pad_top, 0)) {
    return kBadSide;
  }
  const char* error = CheckConvolution(stage.row);
  if (error != nullptr) return error;
  const int64_t input = static_cast<int64_t>(stage.row.in_width) * stage.row.in_channels;
  const int64_t output = static_cast<int64_t>(stage.row.out_width) * stage.row.out_channels;
  if (stage.in_height * input > kLargest || stage.out_height * output > kLargest) return kTooLarge;
  return nullptr;
}

// Takes `bytes` at the end, whose position goes to *part.
void Append(int64_t bytes, int64_t* end, size_t* part) {
  *part = static_cast<size_t>(*end);
  *end += Align(bytes);
}

// Of checked stages. Their parts are below 2 GiB each, so int64 holds the sum.
const char* PlaceParts(const ConvPoolSpec& spec, InputRows input_rows, const ScratchLayout& pool,
                       ConvPoolScratch* scratch) {
  int64_t end = Align(static_cast<int64_t>(pool.bytes));
  int64_t workspace = 0;
  ConvolutionStage stage = InputOf(spec);
  for (int32_t i = 0; i < spec.count; ++i) {
    stage = StageAfter(stage, spec.convolutions[i]);
    const bool resident = i == 0 && input_rows == InputRows::kResident;
    const int64_t row = stage.row.input_row();
    Append(resident ? 0 : row * stage.capacity, &end, &scratch->rings[i]);
    const int64_t bytes = static_cast<int64_t>(ConvolutionWorkspace(stage.row));
    if (bytes > workspace) workspace = bytes;
  }
  const bool resident = spec.count == 0 && input_rows == InputRows::kResident;
  Append(resident ? 0 : stage.row.output_row(), &end, &scratch->pool_row);
  scratch->workspace = pool.products;
  if (workspace > static_cast<int64_t>(pool.summaries - pool.products)) {
    Append(workspace, &end, &scratch->workspace);
  }
  scratch->bytes = static_cast<size_t>(end);
  return end > kLargest ? kTooLarge : nullptr;
}

Int8Spec PoolOf(const ConvPoolSpec& spec, const ConvolutionStage& last) {
  const Int8Spec pool = {
      {last.out_height, last.row.out_width, last.row.out_channels, spec.geometry},
      spec.pool_scale,
      last.row.range.zero_point,
      spec.cell1,
      spec.cell2};
  return pool;
}

}  // namespace

const char* PlanConvPool(const ConvPoolSpec& spec, InputRows input_rows, ConvPoolPlan* plan) {
  if (spec.count < 0 || spec.count > kMaxConvolutions) return "There may be 0 to 4 convolutions.";
  ConvolutionStage stage = InputOf(spec);
  for (int32_t i = 0; i < spec.count; ++i) {
    stage = StageAfter(stage, spec.convolutions[i]);
    const char* error = CheckStage(stage);
    if (error != nullptr) return error;
  }
  const char* error = PlanInt8(PoolOf(spec, stage), &plan->pool);
  if (error != nullptr) return error;
  plan->input_rows = input_rows;
  plan->persistent_bytes = plan->pool.persistent_bytes;
  return PlaceParts(spec, input_rows, plan->pool.scratch, &plan->scratch);
}

void BuildConvPool(const ConvPoolSpec& spec, const ConvPoolPlan& plan, void* persistent,
                   ConvPoolLayer* layer) {
  layer->input_rows = plan.input_rows;
  layer->scratch = plan.scratch;
  layer->count = spec.count;
  ConvolutionStage stage = InputOf(spec);
  for (int32_t i = 0; i < spec.count; ++i) {
    stage = StageAfter(stage, spec.convolutions[i]);
    layer->stages[i] = stage;
    FindShortForm(&layer->stages[i].row);
  }
  BuildInt8(PoolOf(spec, stage), plan.pool, persistent, &layer->pool);
}

void RunConvPool(const ConvPoolLayer& layer, int32_t batch, const int8_t* input, int8_t* output,
                 void* scratch) {
  const SweepShape& shape = layer.pool.shape;
  const bool fused = layer.count > 0;
  const int32_t height = fused ? layer.stages[0].in_height : shape.height;
  const int32_t row = fused ? layer.stages[0].row.input_row() : shape.width * shape.channels;
  ConvPoolSweep sweep(layer);
  for (int32_t n = 0; n < batch; ++n) {
    const int8_t* previous = output;
    sweep.Begin(input, scratch);
    for (int32_t y = 0; y < height; ++y) {
      sweep.Take();
      while (sweep.Next(output, previous)) {
        previous = output;
        output += shape.output_row();
      }
    }
    input += height * row;
  }
}

ConvPoolSweep::ConvPoolSweep(const ConvPoolLayer& layer)
    : layer_(layer), scratch_(nullptr), input_(nullptr), pool_(layer.pool), progress_() {}

void ConvPoolSweep::Begin(const int8_t* input, void* scratch) {
  scratch_ = static_cast<int8_t*>(scratch);
  input_ = input;
  for (Progress& progress : progress_) progress = Progress();
  pool_.Begin(scratch);
}

int8_t* ConvPoolSweep::NextRow() const {
  if (layer_.count == 0) return scratch_ + layer_.scratch.pool_row;
  return RingRow(0, progress_[0].taken);
}

void ConvPoolSweep::Take() {
  const int32_t y = progress_[0].taken++;
  if (layer_.count > 0) return;
  const SweepShape& shape = layer_.pool.shape;
  const bool resident = layer_.input_rows == InputRows::kResident;
  pool_.Take(resident ? input_ + y * shape.width * shape.channels : NextRow());
}

bool ConvPoolSweep::Next(int8_t* output, const int8_t* previous) {
  // The last stage that can go on does, so that the rings need to hold no more than one window of
  // rows, and nothing is computed or read before it is needed.
  while (!pool_.Next(output, previous)) {
    int32_t index = layer_.count - 1;
    while (index >= 0 && !IsReady(index)) --index;
    if (index < 0) return false;
    ComputeRow(index);
  }
  return true;
}

int8_t* ConvPoolSweep::RingRow(int32_t index, int32_t y) const {
  const ConvolutionStage& stage = layer_.stages[index];
  return scratch_ + layer_.scratch.rings[index] + y % stage.capacity * stage.row.input_row();
}

const int8_t* ConvPoolSweep::InputRow(int32_t index, int32_t y) const {
  const ConvolutionStage& stage = layer_.stages[index];
  if (y < 0 || y >= stage.in_height) return nullptr;
  const bool resident = index == 0 && layer_.input_rows == InputRows::kResident;
  return resident ? input_ + y * stage.row.input_row() : RingRow(index, y);
}

// Whether all that the next row of its output sees is there.
bool ConvPoolSweep::IsReady(int32_t index) const {
  const ConvolutionStage& stage = layer_.stages[index];
  const Progress& progress = progress_[index];
  if (progress.computed == stage.out_height) return false;
  const int32_t end =
      progress.computed * stage.stride_height - stage.pad_top + stage.row.kernel_height;
  return progress.taken >= (end < stage.in_height ? end : stage.in_height);
}

void ConvPoolSweep::ComputeRow(int32_t index) {
  const ConvolutionStage& stage = layer_.stages[index];
  const int32_t top = progress_[index].computed++ * stage.stride_height - stage.pad_top;
  const int8_t* rows[kMaxKernel];
  for (int32_t i = 0; i < stage.row.kernel_height; ++i) rows[i] = InputRow(index, top + i);
  const bool last = index + 1 == layer_.count;
  int8_t* output =
      last ? scratch_ + layer_.scratch.pool_row : RingRow(index + 1, progress_[index + 1].taken);
  RunConvolutionRow(stage.row, rows, output, scratch_ + layer_.scratch.workspace);
  if (last) {
    pool_.Take(output);
  } else {
    ++progress_[index + 1].taken;
  }
}

}  // namespace rnnpool
