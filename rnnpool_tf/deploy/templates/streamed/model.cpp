#include "model.h"

${answer_definitions}// Constant, so it stays in flash; the interpreter reads it in place.
alignas(16) const unsigned char kModel[${model_bytes}] = {
${model_data}
};
