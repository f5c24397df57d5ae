#include "test_input.h"

#include "classifier.h"

const char* LoadTestPicture(const TestPicture& test) {
  if (!BeginPicture()) return "the front does not begin";
  for (int y = 0; y < kInputHeight; ++y) {
    ResizeLine(test.picture, kInputWidth, kInputHeight, kInputChannels, y, LineBuffer());
    if (!FeedLine(y)) return "the front refused a line";
  }
  if (Checksum(Map(), kMapBytes) == test.input_checksum) return nullptr;
  return "the front's map differs from the desktop's";
}
