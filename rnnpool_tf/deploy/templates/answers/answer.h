// What the model says of a picture.
#ifndef ANSWER_H_
#define ANSWER_H_

#include "test_pictures.h"

// Runs the model on its input. nullptr, or what went wrong.
const char* Answer();

// Whether the last answer is the desktop's, to the byte. Prints the first difference.
bool CheckAnswer(const TestPicture& test);

// Prints the last answer.
void PrintAnswer(unsigned long milliseconds);

#endif  // ANSWER_H_
