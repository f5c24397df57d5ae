// OV7675 (Arduino's Tiny Machine Learning shield) at 160 x 120.
#include <Arduino_OV767X.h>

#include "camera.h"

namespace {

constexpr int kWidth = 160;
constexpr int kHeight = 120;
constexpr int kBytesPerPixel = ${camera_bytes_per_pixel};
constexpr int kFramesPerSecond = 5;  // the fastest that the library supports on this board

uint8_t frame[kWidth * kHeight * kBytesPerPixel];

}  // namespace

bool BeginCamera() {
  return Camera.begin(QQVGA, ${camera_format}, kFramesPerSecond, OV7675) &&
         Camera.bytesPerPixel() == kBytesPerPixel;
}

Picture Capture() {
  Camera.readFrame(frame);
  return {frame, kWidth, kHeight, ${pixel_format}};
}
