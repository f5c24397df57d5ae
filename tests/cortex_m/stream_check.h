// Pictures, and what fronts of networks make of them.

#ifndef RNNPOOL_TESTS_CORTEX_M_STREAM_CHECK_H_
#define RNNPOOL_TESTS_CORTEX_M_STREAM_CHECK_H_

#include <stddef.h>
#include <stdint.h>

struct Picture {
  const uint8_t* image;  // the front
  size_t image_bytes;
  const uint8_t* lines;  // int8 values of the network's input
  const uint8_t* map;    // the expected output
};

extern const Picture kPictures[];
extern const int kPictureCount;

#endif  // RNNPOOL_TESTS_CORTEX_M_STREAM_CHECK_H_
