// From a picture to the model's int8 input.
#ifndef PREPROCESS_H_
#define PREPROCESS_H_

#include "picture.h"

struct InputSpec {
  int width;
  int height;
  int channels;                // 1 for kGrey8 pictures, 3 for the others
  const int8_t (*table)[256];  // [channels]: byte of a pixel -> int8 of the model
};

// Resizes the picture to the model's shape (ResizeLine) and looks every byte up in the table of
// its channel. `input` holds height * width * channels values. No other memory is used.
void Preprocess(const Picture& picture, const InputSpec& spec, int8_t* input);

#endif  // PREPROCESS_H_
