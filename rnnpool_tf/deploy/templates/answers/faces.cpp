#include "answer.h"

#include <Arduino.h>
// Before the header of the levels: the Arduino IDE finds the library by this name.
#include <RNNPool.h>

#include "classifier.h"
#include "detection_levels.h"

namespace {

rnnpool::BoxDecoder decoder;
rnnpool::Candidate candidates[detection::kCandidates];
rnnpool::Detection faces[detection::kDetections];
rnnpool::DetectionCounts counts;

void PrintNumbers(const int32_t* numbers) {
  for (int i = 0; i < 5; ++i) {
    Serial.print(static_cast<long>(numbers[i]));
    if (i < 4) Serial.print(' ');
  }
}

// Of a box, in pixels of the model's input.
void PrintCoordinate(int32_t sixteenths) {
  Serial.print(", ");
  Serial.print(sixteenths / 16.0, 1);
}

}  // namespace

const char* Answer() {
  if (decoder.anchors() == 0) {
    const char* problem =
        decoder.Open(detection::kLevels, detection::kLevelCount, detection::kSettings);
    if (problem != nullptr) return problem;
  }
  if (!RunModel()) return "the interpreter stopped with an error";
  const int8_t* maps[2 * detection::kLevelCount];
  for (int i = 0; i < 2 * detection::kLevelCount; ++i) maps[i] = Output(i);
  return decoder.Run(maps, candidates, faces, &counts);
}

bool CheckAnswer(const TestPicture& test) {
  if (counts.detections != test.face_count) {
    Serial.print("FAIL, ");
    Serial.print(static_cast<long>(counts.detections));
    Serial.print(" faces, the desktop has ");
    Serial.println(test.face_count);
    return false;
  }
  for (int i = 0; i < test.face_count; ++i) {
    const rnnpool::Detection& face = faces[i];
    const int32_t numbers[5] = {face.logit, face.x1, face.y1, face.x2, face.y2};
    for (int k = 0; k < 5; ++k) {
      if (numbers[k] == test.faces[i][k]) continue;
      Serial.print("FAIL, face ");
      Serial.print(i);
      Serial.print(" is ");
      PrintNumbers(numbers);
      Serial.print(", the desktop has ");
      PrintNumbers(test.faces[i]);
      Serial.println("");
      return false;
    }
  }
  return true;
}

void PrintAnswer(unsigned long milliseconds) {
  for (int i = 0; i < counts.detections; ++i) {
    Serial.print(static_cast<long>((rnnpool::ProbabilityQ15(faces[i].logit) * 100 + 16384) >> 15));
    Serial.print(" %");
    PrintCoordinate(faces[i].x1);
    PrintCoordinate(faces[i].y1);
    PrintCoordinate(faces[i].x2);
    PrintCoordinate(faces[i].y2);
    Serial.println("");
  }
  Serial.print(static_cast<long>(counts.detections));
  Serial.print(" faces, ");
  Serial.print(milliseconds);
  Serial.println(" ms");
}
