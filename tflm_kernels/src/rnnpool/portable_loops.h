// To be included by portable code whose loops take most of a microcontroller's time, before it.

#ifndef RNNPOOL_PORTABLE_LOOPS_H_
#define RNNPOOL_PORTABLE_LOOPS_H_

#include "rnnpool/int8_path.h"

// Arduino compiles with -Os, which costs from a sixth to a third here. Where the DSP path does the
// work, this code is hardly ever run.
#if !RNNPOOL_USE_DSP && defined(__OPTIMIZE_SIZE__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O2")
#endif

#endif  // RNNPOOL_PORTABLE_LOOPS_H_
