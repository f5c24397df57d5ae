// Pictures in flash with the results that the desktop computed for them.
#ifndef TEST_PICTURES_H_
#define TEST_PICTURES_H_

#include <stdint.h>

#include "model.h"
#include "picture.h"

struct TestPicture {
  const char* name;
  Picture picture;
  uint32_t input_checksum;  // of ${checked}
  // Of TensorFlow Lite Micro on the desktop.
${expected_fields}
};

constexpr int kTestPictureCount = ${picture_count};
extern const TestPicture kTestPictures[kTestPictureCount];

#endif  // TEST_PICTURES_H_
