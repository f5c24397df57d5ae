// What the decoding of detections must know of the detector, as integers. Written by `rnnpool_tf`.
// To be included in one source file. `rnnpool/box_decoding.h` says what the numbers mean.
#ifndef DETECTION_LEVELS_H_
#define DETECTION_LEVELS_H_

#include <stdint.h>

#include "rnnpool/box_decoding.h"

namespace ${namespace} {

constexpr int32_t kLevelCount = ${level_count};

const uint16_t kSizes[kLevelCount][256] = {
${sizes}
};

// height, width, stride, logit step, centre step, zero point of loc, sizes
const rnnpool::DetectionLevel kLevels[kLevelCount] = {
${levels}
};

// ${limits}
constexpr int32_t kCandidates = ${candidates};
constexpr int32_t kDetections = ${detections};
const rnnpool::DetectionSettings kSettings = {${logit_threshold}, ${iou_threshold_q15}, kCandidates,
                                              kDetections};

}  // namespace ${namespace}

#endif  // DETECTION_LEVELS_H_
