// Where the lines of live pictures come from. A sensor that delivers lines is plugged in here:
// write these three functions for it in place of ${source_file}.
#ifndef LINE_SOURCE_H_
#define LINE_SOURCE_H_

#include <stdint.h>

// Call once. False when there is no camera.
bool BeginLineSource();

// Waits for the next picture.
void StartPicture();

// Writes line `y` of that picture, kLineBytes bytes: red, green and blue of each pixel, or grey.
// Asked for y = 0, 1, ... kInputHeight - 1, each once.
void ReadLine(int y, uint8_t* line);

#endif  // LINE_SOURCE_H_
