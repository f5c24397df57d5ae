// The streamed model: lines of a picture in, its outputs out. No picture is ever stored.
#ifndef CLASSIFIER_H_
#define CLASSIFIER_H_

#include <stddef.h>
#include <stdint.h>

// Call once. False when the interpreter or the front refuses the model; the reason is logged.
bool BeginClassifier();

// Starts a picture, also in the middle of another one. kInputHeight lines follow.
bool BeginPicture();

// Where the next line is put: kLineBytes bytes, red, green and blue of each pixel, or grey.
uint8_t* LineBuffer();

// Takes line `y` (0, 1, ...) from LineBuffer(). False when it is out of turn.
bool FeedLine(int y);

// What the front makes of a picture: kMapBytes inside the arena, the input of the model's rest.
// Complete after the last line, overwritten by RunModel().
const int8_t* Map();

// Runs the rest of the model. False when lines are missing or the interpreter failed.
bool RunModel();

// An output of the model, until the next picture begins.
const int8_t* Output(int index);

// Bytes of the arena in use: map and the stream's workspace included.
size_t ArenaUsed();

#endif  // CLASSIFIER_H_
