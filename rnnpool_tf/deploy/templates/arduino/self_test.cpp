#include "self_test.h"

#include <Arduino.h>

#include "classifier.h"
#include "model.h"
#include "test_input.h"
#include "test_pictures.h"

namespace {

bool Check(const TestPicture& test) {
  Serial.print(test.name);
  Serial.print(": ");
  const char* problem = LoadTestPicture(test);
  if (problem != nullptr) {
    Serial.print("FAIL, ");
    Serial.println(problem);
    return false;
  }
  const int8_t* scores = Classify();
  if (scores == nullptr) {
    Serial.println("FAIL, the interpreter stopped with an error");
    return false;
  }
  for (int i = 0; i < kLabelCount; ++i) {
    if (scores[i] == test.scores[i]) continue;
    Serial.print("FAIL, the score of '");
    Serial.print(kLabels[i]);
    Serial.print("' is ");
    Serial.print(scores[i]);
    Serial.print(", the desktop has ");
    Serial.println(test.scores[i]);
    return false;
  }
  Serial.println("PASS");
  return true;
}

}  // namespace

bool RunSelfTest() {
  int passed = 0;
  for (int i = 0; i < kTestPictureCount; ++i) passed += Check(kTestPictures[i]);
  Serial.print("self-test: ");
  Serial.print(passed == kTestPictureCount ? "PASS, " : "FAIL, ");
  Serial.print(passed);
  Serial.print(" of ");
  Serial.println(kTestPictureCount);
  return passed == kTestPictureCount;
}
