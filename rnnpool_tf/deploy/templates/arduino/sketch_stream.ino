// ${name}: ${summary}
// Pictures are fed line by line and never stored as a whole. At start-up the sketch tests itself on
// pictures in flash; then the model looks at what the line source delivers (line_source.h). Open
// the serial monitor at 115200 baud.
#include <${tflm_header}>

#include "answer.h"
#include "classifier.h"
#include "line_source.h"
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
  if (!BeginLineSource()) Stop("No camera answers. Is it plugged in?");
}

void loop() {
  StartPicture();
  const unsigned long start = millis();
  if (!BeginPicture()) Stop("The front does not begin.");
  for (int y = 0; y < kInputHeight; ++y) {
    ReadLine(y, LineBuffer());
    if (!FeedLine(y)) Stop("The front refused a line.");
  }
  const char* problem = Answer();
  if (problem != nullptr) Stop(problem);
  PrintAnswer(millis() - start);
  delay(${pause});
}
