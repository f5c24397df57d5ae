// The custom operator "InvertedResidual" for TFLite Micro, of any release from 2023 on.
//
//   resolver.AddCustom("InvertedResidual", tflite::Register_INVERTED_RESIDUAL());

#ifndef RNNPOOL_INVERTED_RESIDUAL_OP_H_
#define RNNPOOL_INVERTED_RESIDUAL_OP_H_

#include "rnnpool_tflm_adapter.h"

namespace tflite {

// The pointer stays valid; AddCustom copies what it points at.
::rnnpool::adapter::Registration* Register_INVERTED_RESIDUAL();

}  // namespace tflite

#endif  // RNNPOOL_INVERTED_RESIDUAL_OP_H_
