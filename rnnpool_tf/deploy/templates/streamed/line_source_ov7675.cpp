// OV7675 (Arduino's Tiny Machine Learning shield) at 160 x 120. Its library delivers whole frames
// only, with interrupts off, so one frame is kept and the model's lines are resized from it.
#include <Arduino_OV767X.h>

#include "line_source.h"
#include "model.h"
#include "picture.h"

namespace {

constexpr int kWidth = 160;
constexpr int kHeight = 120;
constexpr int kBytesPerPixel = ${camera_bytes_per_pixel};
constexpr int kFramesPerSecond = 5;  // the fastest that the library supports on this board

uint8_t frame[kWidth * kHeight * kBytesPerPixel];

}  // namespace

bool BeginLineSource() {
  return Camera.begin(QQVGA, ${camera_format}, kFramesPerSecond, OV7675) &&
         Camera.bytesPerPixel() == kBytesPerPixel;
}

void StartPicture() { Camera.readFrame(frame); }

void ReadLine(int y, uint8_t* line) {
  const Picture picture = {frame, kWidth, kHeight, ${pixel_format}};
  ResizeLine(picture, kInputWidth, kInputHeight, kInputChannels, y, line);
}
