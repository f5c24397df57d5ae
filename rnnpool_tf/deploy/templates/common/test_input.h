#ifndef TEST_INPUT_H_
#define TEST_INPUT_H_

#include "test_pictures.h"

// Brings a test picture to the model's input as a camera's picture gets there. nullptr when the
// input is the desktop's, else what is wrong.
const char* LoadTestPicture(const TestPicture& test);

#endif  // TEST_INPUT_H_
