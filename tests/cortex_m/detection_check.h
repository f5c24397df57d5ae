// Maps of detectors, and the faces in them.

#ifndef RNNPOOL_TESTS_CORTEX_M_DETECTION_CHECK_H_
#define RNNPOOL_TESTS_CORTEX_M_DETECTION_CHECK_H_

#include <stdint.h>

#include "rnnpool/box_decoding.h"

struct Image {
  const rnnpool::DetectionLevel* levels;
  int32_t level_count;
  rnnpool::DetectionSettings settings;
  const int8_t* const* maps;
  const rnnpool::Detection* expected;
  int32_t detections;
  int32_t dropped;
};

extern const Image kImages[];
extern const int kImageCount;

#endif  // RNNPOOL_TESTS_CORTEX_M_DETECTION_CHECK_H_
