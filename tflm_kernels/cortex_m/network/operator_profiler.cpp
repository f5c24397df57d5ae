#include "network/operator_profiler.h"

#include "semihosting.h"

namespace cortex_m {

uint32_t OperatorProfiler::BeginEvent(const char* tag) {
  if (counter_ == nullptr) return 0;
  tag_ = tag;
  counter_->Start();
  return 0;
}

void OperatorProfiler::EndEvent(uint32_t) {
  if (counter_ == nullptr) return;
  const uint32_t instructions = counter_->Stop();
  Print("operator ");
  PrintNumber(instructions);
  Print(" ");
  Print(tag_);
  Print("\n");
}

}  // namespace cortex_m
