// The custom operator "RNNPool" for TFLite Micro, of any release from 2023 on.
//
//   static tflite::MicroMutableOpResolver<5> resolver;
//   resolver.AddCustom("RNNPool", tflite::Register_RNN_POOL());
//
// Two narrower registrations let the linker leave half of the code out of a firmware whose models
// are all int8, or all float32; they refuse a model of the other type.

#ifndef RNNPOOL_OP_H_
#define RNNPOOL_OP_H_

#include "rnnpool_tflm_adapter.h"

namespace tflite {

// Both types. The pointer stays valid; AddCustom copies what it points at.
::rnnpool::adapter::Registration* Register_RNN_POOL();

::rnnpool::adapter::Registration* Register_RNN_POOL_INT8();
::rnnpool::adapter::Registration* Register_RNN_POOL_FLOAT32();

}  // namespace tflite

#endif  // RNNPOOL_OP_H_
