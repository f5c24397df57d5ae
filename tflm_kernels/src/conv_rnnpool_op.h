// The custom operator "ConvRNNPool" for TFLite Micro, of any release from 2023 on.
//
//   resolver.AddCustom("ConvRNNPool", tflite::Register_CONV_RNN_POOL());

#ifndef RNNPOOL_CONV_RNNPOOL_OP_H_
#define RNNPOOL_CONV_RNNPOOL_OP_H_

#include "rnnpool_tflm_adapter.h"

namespace tflite {

// The pointer stays valid; AddCustom copies what it points at.
::rnnpool::adapter::Registration* Register_CONV_RNN_POOL();

}  // namespace tflite

#endif  // RNNPOOL_CONV_RNNPOOL_OP_H_
