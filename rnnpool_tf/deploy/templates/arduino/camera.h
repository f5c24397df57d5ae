#ifndef CAMERA_H_
#define CAMERA_H_

#include "preprocess.h"

// Call once. False when no camera answers.
bool BeginCamera();

// Waits for the next frame. The picture is valid until the next call.
Picture Capture();

#endif  // CAMERA_H_
