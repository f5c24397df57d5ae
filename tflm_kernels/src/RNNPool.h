// RNNPool for TFLite Micro: include after the TensorFlow Lite Micro library of the sketch.
//
//   #include <TensorFlowLite.h>
//   #include <RNNPool.h>
//   …
//   resolver.AddCustom("RNNPool", tflite::Register_RNN_POOL_INT8());
//
// For maps that arrive line by line, without TFLite Micro, see rnnpool/map_sweep.h.

#ifndef RNNPOOL_H_
#define RNNPOOL_H_

#include "rnnpool_op.h"

#endif  // RNNPOOL_H_
