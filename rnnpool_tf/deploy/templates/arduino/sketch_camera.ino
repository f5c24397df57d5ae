// ${name}: ${summary}
// At start-up the sketch tests itself on pictures in flash; then it classifies what the camera
// sees. Both use preprocess.cpp. Open the serial monitor at 115200 baud.
#include <${tflm_header}>

#include "camera.h"
#include "classifier.h"
#include "model.h"
#include "self_test.h"

// Says why again and again: the serial monitor may be opened late.
void Stop(const char* reason) {
  while (true) {
    Serial.println(reason);
    delay(5000);
  }
}

void setup() {
  Serial.begin(115200);
  while (!Serial && millis() < 5000) delay(10);
  if (!BeginClassifier()) Stop("The model could not be started, see above.");
  Serial.print("arena bytes in use: ");
  Serial.println(static_cast<unsigned long>(ArenaUsed()));
  RunSelfTest();
  if (!BeginCamera()) Stop("No camera answers. Is the OV7675 plugged in?");
}

void loop() {
  const Picture picture = Capture();
  const unsigned long start = millis();
  Preprocess(picture, kInput, ClassifierInput());
  const int8_t* scores = Classify();
  if (scores == nullptr) Stop("The interpreter stopped with an error.");
  const unsigned long duration = millis() - start;

  int best = 0;
  for (int i = 0; i < kLabelCount; ++i) {
    if (scores[i] > scores[best]) best = i;
    Serial.print(kLabels[i]);
    Serial.print(' ');
    Serial.print((scores[i] - kScoreZeroPoint) * kScoreScale);
    Serial.print(", ");
  }
  Serial.print(duration);
  Serial.print(" ms: ");
  Serial.println(kLabels[best]);
}
