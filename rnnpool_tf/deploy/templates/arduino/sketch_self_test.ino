// ${name}: ${summary}
// Tests itself on pictures in flash, again and again. Open the serial monitor at 115200 baud.
#include <${tflm_header}>

#include "classifier.h"
#include "self_test.h"

void setup() {
  Serial.begin(115200);
  while (!Serial && millis() < 5000) delay(10);
  while (!BeginClassifier()) {
    Serial.println("The model could not be started, see above.");
    delay(5000);
  }
  Serial.print("arena bytes in use: ");
  Serial.println(static_cast<unsigned long>(ArenaUsed()));
}

void loop() {
  const unsigned long start = millis();
  RunSelfTest();
  Serial.print(millis() - start);
  Serial.println(" ms");
  delay(5000);
}
