// The model inside TensorFlow Lite Micro's interpreter.
#ifndef CLASSIFIER_H_
#define CLASSIFIER_H_

#include <stddef.h>
#include <stdint.h>

// Call once. False when the interpreter refuses the model; it has then logged the reason.
bool BeginClassifier();

// Where Preprocess() writes: kInputBytes inside the arena. The interpreter reuses this memory
// while it runs, so fill it anew before every RunModel().
int8_t* ClassifierInput();

// Runs the model. False when the interpreter failed.
bool RunModel();

// An output of the model, until the input is written anew.
const int8_t* Output(int index);

// Bytes of the arena in use.
size_t ArenaUsed();

#endif  // CLASSIFIER_H_
