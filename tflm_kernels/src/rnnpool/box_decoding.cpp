#include "rnnpool/box_decoding.h"

#include "rnnpool/fixed_point.h"

namespace rnnpool {
namespace {

const int32_t kOffsets = 4;
const int32_t kClasses = 2;

bool Within(int32_t value, int32_t lowest, int32_t highest) {
  return value >= lowest && value <= highest;
}

bool CoversImage(int32_t cells, int32_t stride) {
  return cells >= 1 && int64_t(cells) * stride <= kMaxDetectionExtent;
}

const char* CheckLevel(const DetectionLevel& level) {
  if (level.stride < 1) return "A level's stride must be at least 1.";
  if (!CoversImage(level.height, level.stride) || !CoversImage(level.width, level.stride)) {
    return "A level must cover 1 to 32768 pixels in height and width.";
  }
  if (!Within(level.logit_step, 1, kMaxLogitStep)) {
    return "A level's logit step must be 1 to 2^23.";
  }
  if (!Within(level.centre_step, 0, kMaxCentreStep)) {
    return "A level's centre step must be at least 0 and below 2^27.";
  }
  if (!Within(level.loc_zero_point, -128, 127)) {
    return "A level's zero point must be -128 to 127.";
  }
  if (level.sizes == nullptr) return "A level has no table of sizes.";
  for (int32_t i = 0; i < 256; ++i) {
    if (level.sizes[i] == 0) return "A level's sizes must be at least 1.";
  }
  return nullptr;
}

const char* CheckSettings(const DetectionSettings& settings) {
  if (!Within(settings.iou_threshold_q15, 0, 1 << 15)) {
    return "The threshold of intersection over union must be 0 to 2^15.";
  }
  if (!Within(settings.candidates, 1, kMaxDetectionCapacity) ||
      !Within(settings.detections, 1, kMaxDetectionCapacity)) {
    return "The capacities must be 1 to 2^20.";
  }
  return nullptr;
}

bool Worse(const Candidate& a, const Candidate& b) {
  return a.logit < b.logit || (a.logit == b.logit && a.anchor > b.anchor);
}

// In a heap, no candidate is better than the two at twice its place + 1 and + 2, so the worst is at
// place 0. This moves the one at `place` down until that holds again.
void SiftDown(Candidate* heap, int32_t count, int32_t place) {
  const Candidate moved = heap[place];
  for (;;) {
    int32_t child = 2 * place + 1;
    if (child >= count) break;
    if (child + 1 < count && Worse(heap[child + 1], heap[child])) ++child;
    if (!Worse(heap[child], moved)) break;
    heap[place] = heap[child];
    place = child;
  }
  heap[place] = moved;
}

void MakeHeap(Candidate* candidates, int32_t count) {
  for (int32_t place = count / 2 - 1; place >= 0; --place) SiftDown(candidates, count, place);
}

// A heap becomes a list, best first.
void SortHeap(Candidate* heap, int32_t count) {
  for (int32_t last = count - 1; last > 0; --last) {
    const Candidate worst = heap[0];
    heap[0] = heap[last];
    heap[last] = worst;
    SiftDown(heap, last, 0);
  }
}

int64_t Area(const Detection& box) {
  return static_cast<int64_t>(box.x2 - box.x1) * (box.y2 - box.y1);
}

bool Overlap(const Detection& a, const Detection& b, int32_t threshold_q15) {
  const int32_t width = (a.x2 < b.x2 ? a.x2 : b.x2) - (a.x1 > b.x1 ? a.x1 : b.x1);
  if (width <= 0) return false;
  const int32_t height = (a.y2 < b.y2 ? a.y2 : b.y2) - (a.y1 > b.y1 ? a.y1 : b.y1);
  if (height <= 0) return false;
  const int64_t intersection = static_cast<int64_t>(width) * height;
  return (intersection << 15) > threshold_q15 * (Area(a) + Area(b) - intersection);
}

// The lower corner along one axis.
int32_t Corner(const DetectionLevel& level, int32_t cell, int8_t offset, int32_t side) {
  const int64_t anchor = (2 * cell + 1) * level.stride * 8;
  const int64_t shift = static_cast<int64_t>(offset - level.loc_zero_point) * level.centre_step;
  const int64_t half = static_cast<int64_t>(side) << 15;
  return static_cast<int32_t>((anchor * (1 << 16) + shift - half + (1 << 15)) >> 16);
}

}  // namespace

int32_t ProbabilityQ15(int32_t logit) {
  return (2 - kMinusSigmoidQ17[TableIndex(logit >> 9, 11)]) >> 2;
}

BoxDecoder::BoxDecoder() : level_count_(0), anchors_(0), settings_(), levels_() {}

const char* BoxDecoder::Open(const DetectionLevel* levels, int32_t level_count,
                             const DetectionSettings& settings) {
  level_count_ = 0;
  anchors_ = 0;
  if (levels == nullptr || !Within(level_count, 1, kMaxDetectionLevels)) {
    return "There must be 1 to 8 levels.";
  }
  const char* error = CheckSettings(settings);
  int64_t anchors = 0;
  for (int32_t i = 0; i < level_count && error == nullptr; ++i) {
    error = CheckLevel(levels[i]);
    anchors += static_cast<int64_t>(levels[i].height) * levels[i].width;
  }
  if (error == nullptr && anchors > INT32_MAX) error = "There are too many anchors.";
  if (error != nullptr) return error;
  for (int32_t i = 0; i < level_count; ++i) levels_[i] = levels[i];
  settings_ = settings;
  level_count_ = level_count;
  anchors_ = static_cast<int32_t>(anchors);
  return nullptr;
}

// Gathers the best candidates, in order, and returns how many there are. As long as there is room,
// all that pass are taken; then the array becomes a heap, whose worst candidate gives way. An
// anchor comes after all that are in the heap, so it is better only if its logit is larger.
int32_t BoxDecoder::Collect(const int8_t* const* maps, Candidate* candidates,
                            int32_t* dropped) const {
  const int32_t threshold = settings_.logit_threshold;
  int32_t count = 0, surplus = 0, anchor = 0;
  for (int32_t i = 0; i < level_count_; ++i) {
    const int8_t* conf = maps[2 * i + 1];
    const int32_t step = levels_[i].logit_step;
    const int32_t end = anchor + levels_[i].height * levels_[i].width;
    for (; anchor < end; ++anchor, conf += kClasses) {
      const int32_t logit = (conf[1] - conf[0]) * step;
      if (logit <= threshold) continue;
      const Candidate candidate = {logit, anchor};
      if (count < settings_.candidates) {
        candidates[count++] = candidate;
        if (count == settings_.candidates) MakeHeap(candidates, count);
        continue;
      }
      ++surplus;
      if (logit <= candidates[0].logit) continue;
      candidates[0] = candidate;
      SiftDown(candidates, count, 0);
    }
  }
  if (count < settings_.candidates) MakeHeap(candidates, count);
  SortHeap(candidates, count);
  *dropped = surplus;
  return count;
}

Detection BoxDecoder::Decode(const int8_t* const* maps, const Candidate& candidate) const {
  int32_t cell = candidate.anchor, i = 0;
  while (cell >= levels_[i].height * levels_[i].width) {
    cell -= levels_[i].height * levels_[i].width;
    ++i;
  }
  const DetectionLevel& level = levels_[i];
  const int8_t* loc = maps[2 * i] + static_cast<ptrdiff_t>(cell) * kOffsets;
  const int32_t width = level.sizes[loc[2] + 128];
  const int32_t height = level.sizes[loc[3] + 128];
  Detection box;
  box.logit = candidate.logit;
  box.x1 = Corner(level, cell % level.width, loc[0], width);
  box.y1 = Corner(level, cell / level.width, loc[1], height);
  box.x2 = box.x1 + width;
  box.y2 = box.y1 + height;
  return box;
}

const char* BoxDecoder::Run(const int8_t* const* maps, Candidate* candidates,
                            Detection* detections, DetectionCounts* counts) const {
  if (level_count_ == 0) return "No levels have been opened.";
  if (maps == nullptr || candidates == nullptr || detections == nullptr || counts == nullptr) {
    return "Maps or memory are missing.";
  }
  for (int32_t i = 0; i < 2 * level_count_; ++i) {
    if (maps[i] == nullptr) return "A map is missing.";
  }
  const int32_t count = Collect(maps, candidates, &counts->dropped);
  int32_t kept = 0;
  for (int32_t i = 0; i < count && kept < settings_.detections; ++i) {
    const Detection box = Decode(maps, candidates[i]);
    bool overlaps = false;
    for (int32_t j = 0; j < kept && !overlaps; ++j) {
      overlaps = Overlap(box, detections[j], settings_.iou_threshold_q15);
    }
    if (!overlaps) detections[kept++] = box;
  }
  counts->detections = kept;
  return nullptr;
}

}  // namespace rnnpool
