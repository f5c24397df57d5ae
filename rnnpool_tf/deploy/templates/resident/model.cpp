#include "model.h"

namespace {

// Byte of a pixel -> int8 of the model, for each channel.
const int8_t kInputTable[kInputChannels][256] = {
${input_table}
};

}  // namespace

const InputSpec kInput = {kInputWidth, kInputHeight, kInputChannels, kInputTable};

${answer_definitions}// Constant, so it stays in flash; the interpreter reads it in place.
alignas(16) const unsigned char kModel[${model_bytes}] = {
${model_data}
};
