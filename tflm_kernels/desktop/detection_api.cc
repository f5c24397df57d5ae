// The box decoder as a C interface, for Python's ctypes and for tests.

#include <stdint.h>

#include <vector>

#include "c_api.h"
#include "rnnpool/box_decoding.h"

using c_api::Fail;

// levels [level_count][6] = height, width, stride, logit step, centre step, zero point of loc;
// sizes [level_count][256]; settings [4] = logit threshold, IoU threshold in Q15, candidates,
// detections; maps as for BoxDecoder::Run. found [detections][5] = logit, x1, y1, x2, y2; counts
// [2] = detections, dropped. Returns 0, or 1 with a sentence in `error`.
RNNPOOL_API int rnnpool_detect(const int32_t* levels, const uint16_t* sizes, int level_count,
                               const int32_t* settings, const int8_t* const* maps, int32_t* found,
                               int32_t* counts, char* error, int error_len) {
  std::vector<rnnpool::DetectionLevel> described;
  for (int i = 0; i < level_count; ++i) {
    const int32_t* level = levels + 6 * i;
    described.push_back(
        {level[0], level[1], level[2], level[3], level[4], level[5], sizes + 256 * i});
  }
  const rnnpool::DetectionSettings limits = {settings[0], settings[1], settings[2], settings[3]};
  rnnpool::BoxDecoder decoder;
  const char* sentence = decoder.Open(described.data(), level_count, limits);
  if (sentence != nullptr) return Fail(sentence, error, error_len);
  std::vector<rnnpool::Candidate> candidates(static_cast<size_t>(limits.candidates));
  std::vector<rnnpool::Detection> detections(static_cast<size_t>(limits.detections));
  rnnpool::DetectionCounts result;
  sentence = decoder.Run(maps, candidates.data(), detections.data(), &result);
  if (sentence != nullptr) return Fail(sentence, error, error_len);
  for (int32_t i = 0; i < result.detections; ++i) {
    const rnnpool::Detection& box = detections[static_cast<size_t>(i)];
    const int32_t row[5] = {box.logit, box.x1, box.y1, box.x2, box.y2};
    for (int32_t value : row) *found++ = value;
  }
  counts[0] = result.detections;
  counts[1] = result.dropped;
  return 0;
}

// rnnpool::ProbabilityQ15 of `count` logits.
RNNPOOL_API void rnnpool_probabilities_q15(const int32_t* logits, int64_t count,
                                           int32_t* probabilities) {
  for (int64_t i = 0; i < count; ++i) probabilities[i] = rnnpool::ProbabilityQ15(logits[i]);
}
