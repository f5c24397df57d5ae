// Feeds pictures line by line to fronts of networks, on the emulated processor. Prints what it
// takes, and ends with status 7 after a difference from the expected map.

#include "stream_check.h"

#include <string.h>

#include "arena.h"
#include "rnnpool/line_stream.h"
#include "report.h"
#include "stack_paint.h"

namespace {

using cortex_m::Report;
using rnnpool::LineStatus;
using rnnpool::LineStream;
using rnnpool::PixelFormat;

LineStream stream;
uint32_t deepest_open, deepest_line;

void Note(uint32_t used, uint32_t* deepest) {
  if (used > *deepest) *deepest = used;
}

const char* Open(const Picture& picture) {
  cortex_m::PaintStack();
  const char* error = stream.Open(picture.image, picture.image_bytes);
  Note(cortex_m::StackUsed(), &deepest_open);
  return error;
}

bool Feed(int32_t y, const uint8_t* line, size_t bytes) {
  cortex_m::PaintStack();
  const LineStatus status = stream.Feed(y, line, bytes, PixelFormat::kInt8);
  Note(cortex_m::StackUsed(), &deepest_line);
  return status == LineStatus::kOk;
}

bool Matches(const Picture& picture) {
  cortex_m::ResetArena();
  if (Open(picture) != nullptr) return false;
  int8_t* map = static_cast<int8_t*>(cortex_m::Allocate(stream.map_bytes()));
  void* workspace = cortex_m::Allocate(stream.workspace_bytes());
  memset(workspace, 0xA5, stream.workspace_bytes());  // what it holds must not matter
  if (stream.Begin(map, stream.map_bytes(), workspace, stream.workspace_bytes()) !=
      LineStatus::kOk) {
    return false;
  }
  const size_t bytes = stream.line_bytes(PixelFormat::kInt8);
  for (int32_t y = 0; y < stream.height(); ++y) {
    if (!Feed(y, picture.lines + y * bytes, bytes)) return false;
  }
  return stream.finished() && memcmp(map, picture.map, stream.map_bytes()) == 0;
}

}  // namespace

int main() {
  const bool all_match = cortex_m::ReportMatches(kPictures, kPictureCount, Matches);
  Report("object=", sizeof(stream));
  Report("open_stack=", deepest_open);
  Report("line_stack=", deepest_line);
  return all_match ? 0 : 7;
}
