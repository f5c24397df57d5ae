// Reads one custom operator's options by key, and says what is wrong with them.
//
// Options are a FlexBuffer map, see flexbuffer_map.h. Keys that are not known are ignored; a
// version that is not known is refused.

#ifndef RNNPOOL_OPTION_READER_H_
#define RNNPOOL_OPTION_READER_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/flexbuffer_map.h"
#include "rnnpool/gates_kind.h"
#include "rnnpool/geometry.h"

namespace rnnpool {

// Room for any sentence about options.
static const size_t kOptionsErrorSize = 192;

// After the first read that fails the others do nothing, so that callers ask once, at the end.
class OptionReader {
 public:
  // `operator_name` begins every sentence; a sentence is written to `error`.
  OptionReader(const char* operator_name, char (&error)[kOptionsErrorSize])
      : operator_name_(operator_name), prefix_(""), error_(error), failed_(false) {}

  // Opens the map, never touching a byte outside [data, data + size), and requires `version` to be
  // in 1..`newest`. Comes first. Returns the version.
  int32_t Open(const uint8_t* data, size_t size, int32_t newest);

  // Keys of the reads that follow begin with this: "conv0_".
  void SetPrefix(const char* prefix) { prefix_ = prefix; }

  // An integer in minimum..maximum.
  void ReadInt(const char* key, int32_t minimum, int32_t maximum, int32_t* value);

  // An integer from 1.
  void ReadExtent(const char* key, int32_t* value) { ReadInt(key, 1, INT32_MAX, value); }

  // A finite number; it is rounded to float32.
  void ReadFloat(const char* key, float* value);

  // "valid", "same" or "replicate".
  void ReadPadding(const char* key, Padding* value);

  // "smooth" or "piecewise_linear"; where the key is missing, smooth.
  void ReadGates(const char* key, GatesKind* value);

  // Fails where the key is there: it came with a later version.
  void ReadNone(const char* key);

  // nullptr when everything was found and in its range, or the first sentence.
  const char* problem() const { return failed_ ? error_ : nullptr; }

 private:
  typedef FlexbufferMap::Lookup Lookup;

  // The key behind the prefix, in `full_key_`.
  const char* FullKey(const char* key);
  void Explain(Lookup lookup, const char* key, const char* kind);

  const char* operator_name_;
  const char* prefix_;
  char (&error_)[kOptionsErrorSize];
  bool failed_;
  FlexbufferMap map_;
  char full_key_[40];
};

}  // namespace rnnpool

#endif  // RNNPOOL_OPTION_READER_H_
