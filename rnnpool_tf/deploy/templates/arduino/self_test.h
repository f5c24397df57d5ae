#ifndef SELF_TEST_H_
#define SELF_TEST_H_

// Runs every picture of test_pictures.h through the code that the camera uses, compares with the
// desktop's results to the byte and prints PASS or FAIL for each. True when all passed.
bool RunSelfTest();

#endif  // SELF_TEST_H_
