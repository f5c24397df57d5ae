// What the C interfaces to the core share: they return 0, or 1 with a sentence in `error`.

#ifndef RNNPOOL_DESKTOP_C_API_H_
#define RNNPOOL_DESKTOP_C_API_H_

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <vector>

#define RNNPOOL_API extern "C" __attribute__((visibility("default")))

namespace c_api {

inline int Fail(const char* sentence, char* error, int error_len) {
  if (error != nullptr && error_len > 0) {
    strncpy(error, sentence, static_cast<size_t>(error_len - 1));
    error[error_len - 1] = '\0';
  }
  return 1;
}

// Memory as a runtime would hand it out; 4 bytes are the alignment that the core asks for.
class Buffer {
 public:
  explicit Buffer(size_t bytes) : words_((bytes + 3) / 4) {}
  void* get() { return words_.data(); }

 private:
  std::vector<int32_t> words_;
};

}  // namespace c_api

#endif  // RNNPOOL_DESKTOP_C_API_H_
