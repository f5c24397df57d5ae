#include "self_test.h"

#include <Arduino.h>

#include "answer.h"
#include "test_input.h"
#include "test_pictures.h"

namespace {

bool Check(const TestPicture& test) {
  Serial.print(test.name);
  Serial.print(": ");
  const char* problem = LoadTestPicture(test);
  if (problem == nullptr) problem = Answer();
  if (problem != nullptr) {
    Serial.print("FAIL, ");
    Serial.println(problem);
    return false;
  }
  if (!CheckAnswer(test)) return false;
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
