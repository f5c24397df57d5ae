// Runs the box decoder under AddressSanitizer and UndefinedBehaviorSanitizer: sensible levels, ones
// at the limits, and any numbers at all.
//
//   detection_sanitized <seed>     Prints what was done; exits 0 when all was well.

#include <stdint.h>
#include <stdio.h>

#include <memory>
#include <vector>

#include "rnnpool/box_decoding.h"
#include "sanitized.h"

namespace {

using namespace rnnpool;
using sanitized::Allocate;
using sanitized::AnyInt32;
using sanitized::Random;
using sanitized::Require;

// Larger ones would only take time.
const int64_t kMostAnchors = 1 << 12;
const int32_t kMostCapacity = 1 << 10;

int32_t Limit(int32_t low, int32_t high) {
  const int32_t values[] = {low, high, low + static_cast<int32_t>(Random(16))};
  return values[Random(3)];
}

struct Setup {
  std::vector<uint16_t> sizes;
  std::vector<DetectionLevel> levels;
  DetectionSettings settings;
};

// With `hostile`, one number of each level and of the settings may be anything.
Setup RandomSetup(bool hostile) {
  Setup setup;
  const int32_t count = 1 + Random(kMaxDetectionLevels + (hostile ? 2 : 0));
  setup.sizes.resize(static_cast<size_t>(count) * 256);
  for (uint16_t& size : setup.sizes) {
    size = static_cast<uint16_t>(Random(4) == 0 ? 65535 : 1 + Random(2048));
  }
  for (int32_t i = 0; i < count; ++i) {
    DetectionLevel level = {Limit(1, 12),
                            Limit(1, 12),
                            Limit(1, kMaxDetectionExtent / 32),
                            Limit(1, kMaxLogitStep),
                            Limit(0, kMaxCentreStep - 16),
                            Limit(-128, 112),
                            setup.sizes.data() + 256 * i};
    if (hostile && Random(3) == 0) {
      int32_t* numbers[] = {&level.height,     &level.width,       &level.stride,
                            &level.logit_step, &level.centre_step, &level.loc_zero_point};
      *numbers[Random(6)] = AnyInt32();
      if (Random(8) == 0) level.sizes = nullptr;
    }
    setup.levels.push_back(level);
  }
  setup.settings = {Random(2) ? AnyInt32() : INT32_MIN, static_cast<int32_t>(Random(32769)),
                    Limit(1, 200), Limit(1, 100)};
  if (hostile && Random(3) == 0) {
    int32_t* numbers[] = {&setup.settings.iou_threshold_q15, &setup.settings.candidates,
                          &setup.settings.detections};
    *numbers[Random(3)] = AnyInt32();
  }
  return setup;
}

int64_t Area(const Detection& box) {
  return static_cast<int64_t>(box.x2 - box.x1) * (box.y2 - box.y1);
}

void CheckResult(const Setup& setup, const Detection* found, const DetectionCounts& counts) {
  Require(counts.detections >= 0 && counts.detections <= setup.settings.detections, "capacity");
  Require(counts.detections <= setup.settings.candidates, "no more than candidates");
  for (int32_t i = 0; i < counts.detections; ++i) {
    Require(found[i].logit > setup.settings.logit_threshold, "above the threshold");
    Require(i == 0 || found[i - 1].logit >= found[i].logit, "best first");
    Require(Area(found[i]) >= 1, "no empty box");
    for (int32_t j = 0; j < i; ++j) {
      const Detection &a = found[i], &b = found[j];
      const int64_t width = (a.x2 < b.x2 ? a.x2 : b.x2) - (a.x1 > b.x1 ? a.x1 : b.x1);
      const int64_t height = (a.y2 < b.y2 ? a.y2 : b.y2) - (a.y1 > b.y1 ? a.y1 : b.y1);
      const int64_t both = width > 0 && height > 0 ? width * height : 0;
      Require(both * 32768 <= setup.settings.iou_threshold_q15 * (Area(a) + Area(b) - both),
              "no large overlap");
    }
  }
}

// Whether the setup was accepted.
bool Run(const Setup& setup) {
  BoxDecoder decoder;
  DetectionCounts counts;
  Require(decoder.Run(nullptr, nullptr, nullptr, &counts) != nullptr, "nothing is open");
  const int32_t count = static_cast<int32_t>(setup.levels.size());
  if (decoder.Open(setup.levels.data(), count, setup.settings) != nullptr) {
    Require(decoder.anchors() == 0, "refused levels leave no anchors");
    Require(decoder.Run(nullptr, nullptr, nullptr, &counts) != nullptr, "refused levels");
    return false;
  }
  const DetectionSettings& settings = setup.settings;
  if (decoder.anchors() > kMostAnchors || settings.candidates > kMostCapacity ||
      settings.detections > kMostCapacity) {
    return true;
  }
  std::vector<std::unique_ptr<uint8_t[]>> memory;
  std::vector<const int8_t*> maps;
  for (const DetectionLevel& level : setup.levels) {
    for (int32_t values = 4; values >= 2; values -= 2) {
      memory.push_back(Allocate(static_cast<size_t>(level.height) * level.width * values));
      maps.push_back(reinterpret_cast<const int8_t*>(memory.back().get()));
    }
  }
  // Uninitialised, and exactly as large as the capacities say.
  std::unique_ptr<Candidate[]> candidates(new Candidate[settings.candidates]);
  std::unique_ptr<Detection[]> found(new Detection[settings.detections]);
  Require(decoder.Run(maps.data(), candidates.get(), found.get(), &counts) == nullptr, "runs");
  CheckResult(setup, found.get(), counts);

  Require(decoder.Run(nullptr, candidates.get(), found.get(), &counts) != nullptr, "no maps");
  Require(decoder.Run(maps.data(), nullptr, found.get(), &counts) != nullptr, "no candidates");
  Require(decoder.Run(maps.data(), candidates.get(), nullptr, &counts) != nullptr, "no room");
  Require(decoder.Run(maps.data(), candidates.get(), found.get(), nullptr) != nullptr, "no counts");
  maps[Random(static_cast<uint32_t>(maps.size()))] = nullptr;
  Require(decoder.Run(maps.data(), candidates.get(), found.get(), &counts) != nullptr, "a map");
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Require(argc == 2, "usage: detection_sanitized <seed>");
  sanitized::Seed(argv[1]);
  BoxDecoder decoder;
  const Setup good = RandomSetup(false);
  Require(decoder.Open(nullptr, 1, good.settings) != nullptr, "no levels");
  Require(decoder.Open(good.levels.data(), 0, good.settings) != nullptr, "0 levels");
  Require(decoder.Open(good.levels.data(), -1, good.settings) != nullptr, "-1 levels");
  Require(decoder.Open(good.levels.data(), INT32_MAX, good.settings) != nullptr, "many levels");
  static_assert(DetectionBytes(400, 50) == 400 * 8 + 50 * 20, "what the documentation says");
  for (int i = 0; i < 10000; ++i) {
    const int32_t logit = AnyInt32();
    const int32_t probability = ProbabilityQ15(logit);
    Require(probability >= 0 && probability < 32768, "a probability");
  }
  int accepted = 0, refused = 0;
  for (int i = 0; i < 2000; ++i) {
    Require(Run(RandomSetup(false)), "good levels are accepted");
    ++(Run(RandomSetup(true)) ? accepted : refused);
  }
  printf("hostile: %d accepted, %d refused\n", accepted, refused);
  Require(accepted > 300 && refused > 300, "both kinds occur");
  return 0;
}
