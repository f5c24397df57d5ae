#include "answer.h"

#include <Arduino.h>

#include "classifier.h"
#include "model.h"

namespace {

const int8_t* scores = nullptr;

}  // namespace

const char* Answer() {
  if (!RunModel()) return "the interpreter stopped with an error";
  scores = Output(0);
  return nullptr;
}

bool CheckAnswer(const TestPicture& test) {
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
  return true;
}

void PrintAnswer(unsigned long milliseconds) {
  int best = 0;
  for (int i = 0; i < kLabelCount; ++i) {
    if (scores[i] > scores[best]) best = i;
    Serial.print(kLabels[i]);
    Serial.print(' ');
    Serial.print((scores[i] - kScoreZeroPoint) * kScoreScale);
    Serial.print(", ");
  }
  Serial.print(milliseconds);
  Serial.print(" ms: ");
  Serial.println(kLabels[best]);
}
