// The operators of this model and no others: what is not listed is not linked.
#ifndef OPS_H_
#define OPS_H_

${op_includes}#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

using Ops = tflite::MicroMutableOpResolver<${op_count}>;

inline bool AddOps(Ops& ops) {
  return ${op_calls};
}

#endif  // OPS_H_
