// Stands in for the flatbuffer schema: only what a sketch asks of it.
#ifndef FAKE_SCHEMA_GENERATED_H_
#define FAKE_SCHEMA_GENERATED_H_

#include <stdint.h>

#define TFLITE_SCHEMA_VERSION 3

namespace tflite {

class Model {
 public:
  uint32_t version() const { return 3; }
};

inline const Model* GetModel(const void* data) { return static_cast<const Model*>(data); }

}  // namespace tflite

#endif  // FAKE_SCHEMA_GENERATED_H_
