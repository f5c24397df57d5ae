// What the checks on the emulated processor print: lines "name=value".

#ifndef RNNPOOL_TESTS_CORTEX_M_REPORT_H_
#define RNNPOOL_TESTS_CORTEX_M_REPORT_H_

#include <stdint.h>

#include "semihosting.h"

namespace cortex_m {

inline void Report(const char* name, uint32_t value) {
  Print(name);
  PrintNumber(value);
  Print("\n");
}

// Checks every case; reports the numbers of those that differ, and how many match. True if all do.
template <typename Case>
bool ReportMatches(const Case* cases, int count, bool (*matches)(const Case&)) {
  int matching = 0;
  for (int i = 0; i < count; ++i) {
    if (matches(cases[i])) {
      ++matching;
    } else {
      Report("differs=", static_cast<uint32_t>(i));
    }
  }
  Report("matches=", static_cast<uint32_t>(matching));
  return matching == count;
}

}  // namespace cortex_m

#endif  // RNNPOOL_TESTS_CORTEX_M_REPORT_H_
