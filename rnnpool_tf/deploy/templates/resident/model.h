// The model and what a program must know about it. Written by `rnnpool export`.
#ifndef MODEL_H_
#define MODEL_H_

#include <stddef.h>
#include <stdint.h>

#include "preprocess.h"

// ${summary}
extern const unsigned char kModel[${model_bytes}];

constexpr int kInputWidth = ${width};
constexpr int kInputHeight = ${height};
constexpr int kInputChannels = ${channels};
constexpr size_t kInputBytes = ${input_bytes};
// ${normalization} normalisation, scale ${input_scale}, zero point ${input_zero_point}
extern const InputSpec kInput;

${answer_declarations}

// ${measured_arena} bytes measured on the desktop, and ${arena_margin} of margin (see README.md).
// The sketch prints what it really uses; this may be lowered to that.
constexpr size_t kArenaBytes = ${arena_bytes};

#endif  // MODEL_H_
