// ${name}: ${summary}
// At start-up the sketch tests itself on pictures in flash; then the model looks at what the camera
// sees. Both use preprocess.cpp. Open the serial monitor at 115200 baud.
#include <${tflm_header}>

#include "answer.h"
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
  const char* problem = Answer();
  if (problem != nullptr) Stop(problem);
  PrintAnswer(millis() - start);
}
