// Stands in for a camera: the test pictures, one after the other.
#include "line_source.h"
#include "model.h"
#include "picture.h"
#include "test_pictures.h"

namespace {

int current = -1;

}  // namespace

bool BeginLineSource() { return true; }

void StartPicture() { current = (current + 1) % kTestPictureCount; }

void ReadLine(int y, uint8_t* line) {
  ResizeLine(kTestPictures[current].picture, kInputWidth, kInputHeight, kInputChannels, y, line);
}
