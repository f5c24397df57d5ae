// Runs an exported sketch on the desktop: setup(), then loop() once.
// Argument: a file with one camera frame.
#include <stdlib.h>

#include <vector>

#include "Arduino.h"
#include "Arduino_OV767X.h"

SerialStub Serial;
OV767X Camera;
static unsigned long now = 0;
static std::vector<unsigned char> frame;
static int format = -1;

unsigned long millis() { return now; }

void delay(unsigned long milliseconds) {
  now += milliseconds;
  if (milliseconds >= 5000) exit(0);  // a sketch that waits has nothing more to say
}

int OV767X::begin(int resolution, int pixel_format, int fps, int camera_name) {
  format = pixel_format;
  return resolution == QQVGA && (fps == 1 || fps == 5) && camera_name == OV7675;
}

int OV767X::bytesPerPixel() const { return format == GRAYSCALE ? 1 : 2; }

void OV767X::readFrame(void* buffer) {
  const size_t size = 160 * 120 * bytesPerPixel();
  if (frame.size() != size) {
    printf("frame of %d bytes wanted\n", static_cast<int>(size));
    exit(2);
  }
  for (size_t i = 0; i < size; ++i) static_cast<unsigned char*>(buffer)[i] = frame[i];
}

void setup();
void loop();

int main(int argc, char** argv) {
  if (argc > 1) {
    FILE* file = fopen(argv[1], "rb");
    for (int c; (c = fgetc(file)) != EOF;) frame.push_back(static_cast<unsigned char>(c));
    fclose(file);
  }
  setup();
  loop();
  return 0;
}
