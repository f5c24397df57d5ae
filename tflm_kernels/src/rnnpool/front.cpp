#include "rnnpool/front.h"

namespace rnnpool {
namespace {

const char kTooLarge[] = "The front is too large: its memory would exceed 2 GiB.";

// Takes `bytes` at the end, rounded up to a multiple of 4.
void Append(int64_t bytes, int64_t* end, size_t* part) {
  *part = static_cast<size_t>(*end);
  *end += (bytes + 3) & ~int64_t(3);
}

int64_t Bytes(size_t bytes) { return static_cast<int64_t>(bytes); }

}  // namespace

const char* PlanFront(const FrontSpec& spec, Front* front) {
  if (spec.block_count < 0 || spec.block_count > kMaxFrontBlocks) {
    return "There may be 0 to 2 blocks.";
  }
  const char* error = PlanConvPool(spec.pool, InputRows::kCopied, &front->plan);
  if (error != nullptr) return error;
  const SweepShape& pool = front->plan.pool.shape;
  int32_t height = pool.grid.out_height;
  int32_t width = pool.grid.out_width;
  int32_t channels = pool.output_pixel();
  int32_t zero_point = 0;

  // Every part is below 2 GiB, so int64 holds the sum.
  int64_t end = 0;
  size_t scratch = 0;
  Append(Bytes(front->plan.scratch.bytes), &end, &scratch);
  Append(Bytes(front->plan.persistent_bytes), &end, &front->persistent);
  for (int32_t i = 0; i < spec.block_count; ++i) {
    InvertedResidualSpec block = spec.blocks[i];
    if (block.residual) return "A block of the front must not have a residual.";
    block.height = height;
    block.width = width;
    block.channels = channels;
    block.input_zero_point = zero_point;
    error = PlanInvertedResidual(block, &front->blocks[i]);
    if (error != nullptr) return error;
    Append(static_cast<int64_t>(block.width) * block.channels, &end, &front->rows[i]);
    Append(Bytes(front->blocks[i].workspace_bytes), &end, &front->block_workspaces[i]);
    height = block.out_height;
    width = block.out_width;
    channels = block.project.outputs;
    zero_point = block.project.range.zero_point;
  }
  if (end > INT32_MAX) return kTooLarge;
  front->map_height = height;
  front->map_width = width;
  front->map_channels = channels;
  front->block_count = spec.block_count;
  front->workspace_bytes = static_cast<size_t>(end);
  return nullptr;
}

void BuildFront(const FrontSpec& spec, void* workspace, Front* front) {
  BuildConvPool(spec.pool, front->plan, static_cast<int8_t*>(workspace) + front->persistent,
                &front->pool);
}

FrontSweep::FrontSweep(const Front& front)
    : front_(front),
      pool_(front.pool),
      blocks_{InvertedResidualSweep(front.blocks[0]), InvertedResidualSweep(front.blocks[1])},
      workspace_(nullptr),
      output_(nullptr),
      previous_(nullptr) {}

void FrontSweep::Begin(int8_t* map, void* workspace) {
  workspace_ = static_cast<int8_t*>(workspace);
  output_ = map;
  previous_ = map;
  pool_.Begin(nullptr, workspace);
  for (int32_t i = 0; i < front_.block_count; ++i) {
    blocks_[i].Begin(workspace_ + front_.block_workspaces[i]);
  }
}

void FrontSweep::Take() {
  const int32_t last = front_.block_count;
  pool_.Take();
  // The last stage that can go on does, so that one row between two stages is enough.
  int32_t stage = last;
  while (stage >= 0) {
    int8_t* row = stage == last ? output_ : workspace_ + front_.rows[stage];
    if (!NextOf(stage, row)) {
      --stage;
    } else if (stage == last) {
      output_ += front_.map_width * front_.map_channels;
    } else {
      blocks_[stage].Take(row);
      stage = last;
    }
  }
}

// Stage 0 is RNNPool with what comes before it, stage i the i-th block.
bool FrontSweep::NextOf(int32_t stage, int8_t* row) {
  if (stage > 0) return blocks_[stage - 1].Next(row);
  if (!pool_.Next(row, previous_)) return false;
  previous_ = row;
  return true;
}

}  // namespace rnnpool
