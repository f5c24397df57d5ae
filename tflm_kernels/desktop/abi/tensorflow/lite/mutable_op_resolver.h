// TensorFlow Lite's op resolver, of which a registerer receives a pointer.
//
// AddCustom is exported by TensorFlow's library. It is looked up when needed instead of linked,
// because the same library must also load where TensorFlow is not installed.

#ifndef RNNPOOL_ABI_TENSORFLOW_LITE_MUTABLE_OP_RESOLVER_H_
#define RNNPOOL_ABI_TENSORFLOW_LITE_MUTABLE_OP_RESOLVER_H_

#include "tensorflow/lite/c/common.h"

namespace tflite {

class MutableOpResolver;

// The member function AddCustom(name, registration, version) as a plain one.
using AddCustomFunction = void (*)(MutableOpResolver*, const char* name,
                                   const TfLiteRegistration* registration, int version);
constexpr char kAddCustomSymbol[] =
    "_ZN6tflite17MutableOpResolver9AddCustomEPKcPK18TfLiteRegistrationi";

}  // namespace tflite

#endif  // RNNPOOL_ABI_TENSORFLOW_LITE_MUTABLE_OP_RESOLVER_H_
