#include "test_input.h"

#include "classifier.h"
#include "preprocess.h"

const char* LoadTestPicture(const TestPicture& test) {
  Preprocess(test.picture, kInput, ClassifierInput());
  if (Checksum(ClassifierInput(), kInputBytes) == test.input_checksum) return nullptr;
  return "the preprocessed picture differs from the desktop's";
}
