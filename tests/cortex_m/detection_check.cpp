// Decodes images on the emulated processor. Prints what the last one takes, and ends with status 7
// after a difference from the expected faces.

#include "detection_check.h"

#include <string.h>

#include "arena.h"
#include "measure.h"
#include "report.h"

namespace {

using cortex_m::Report;
using namespace rnnpool;

BoxDecoder decoder;
uint32_t open_instructions, open_stack, instructions, stack;

bool Matches(const Image& image) {
  cortex_m::ResetArena();
  const char* error = nullptr;
  cortex_m::Measure(
      [&] { error = decoder.Open(image.levels, image.level_count, image.settings); },
      &open_instructions, &open_stack);
  if (error != nullptr) return false;
  Candidate* candidates = static_cast<Candidate*>(
      cortex_m::Allocate(sizeof(Candidate) * image.settings.candidates));
  Detection* found = static_cast<Detection*>(
      cortex_m::Allocate(sizeof(Detection) * image.settings.detections));
  DetectionCounts counts;
  cortex_m::Measure([&] { error = decoder.Run(image.maps, candidates, found, &counts); },
                    &instructions, &stack);
  return error == nullptr && counts.detections == image.detections &&
         counts.dropped == image.dropped &&
         memcmp(found, image.expected, sizeof(Detection) * counts.detections) == 0;
}

}  // namespace

int main() {
  const bool all_match = cortex_m::ReportMatches(kImages, kImageCount, Matches);
  Report("object=", sizeof(decoder));
  Report("open_instructions=", open_instructions);
  Report("open_stack=", open_stack);
  Report("instructions=", instructions);
  Report("stack=", stack);
  return all_match ? 0 : 7;
}
