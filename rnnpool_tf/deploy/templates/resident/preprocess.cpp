#include "preprocess.h"

void Preprocess(const Picture& picture, const InputSpec& spec, int8_t* input) {
  for (int y = 0; y < spec.height; ++y) {
    // The line is resized where its result belongs, and looked up in place.
    uint8_t* line = reinterpret_cast<uint8_t*>(input);
    ResizeLine(picture, spec.width, spec.height, spec.channels, y, line);
    for (int x = 0; x < spec.width; ++x) {
      for (int c = 0; c < spec.channels; ++c) *input++ = spec.table[c][*line++];
    }
  }
}
