// RNNPool for TFLite Micro: include after the TensorFlow Lite Micro library of the sketch.
//
//   #include <TensorFlowLite.h>
//   #include <RNNPool.h>
//   …
//   resolver.AddCustom("RNNPool", tflite::Register_RNN_POOL_INT8());
//   resolver.AddCustom("ConvRNNPool", tflite::Register_CONV_RNN_POOL());
//   resolver.AddCustom("InvertedResidual", tflite::Register_INVERTED_RESIDUAL());
//
// A sketch registers those that its model has; the others are not linked.
// Pictures that arrive line by line, without being in memory: rnnpool/line_stream.h. Faces from the
// outputs of a detector: rnnpool/box_decoding.h. Neither needs TensorFlow Lite Micro.

#ifndef RNNPOOL_H_
#define RNNPOOL_H_

#include "conv_rnnpool_op.h"
#include "inverted_residual_op.h"
#include "rnnpool/box_decoding.h"
#include "rnnpool/line_stream.h"
#include "rnnpool_op.h"

#endif  // RNNPOOL_H_
