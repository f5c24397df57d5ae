// The model and what a program must know about it. Written by `rnnpool export`.
#ifndef MODEL_H_
#define MODEL_H_

#include <stddef.h>
#include <stdint.h>

// ${summary}
// The layers behind the front; the front itself is in ${front_file}.
extern const unsigned char kModel[${model_bytes}];

constexpr int kInputWidth = ${width};
constexpr int kInputHeight = ${height};
constexpr int kInputChannels = ${channels};
constexpr size_t kLineBytes = ${line_bytes};
constexpr size_t kMapBytes = ${map_bytes};

${answer_declarations}

// ${measured_arena} bytes measured on the desktop, and ${arena_margin} of margin (see README.md).
// Map and workspace of the stream are part of it. The sketch prints what it really uses; this may
// be lowered to that.
constexpr size_t kArenaBytes = ${arena_bytes};

#endif  // MODEL_H_
