// Reads a FlexBuffer whose root is a map of names to numbers and strings.
//
// A custom operator's options arrive as bytes from a model file, so nothing in them is trusted:
// every access is checked against [data, data + size), offsets point backwards only, and there is
// neither recursion nor allocation. Keys may come in any order and any bit width.

#ifndef RNNPOOL_FLEXBUFFER_MAP_H_
#define RNNPOOL_FLEXBUFFER_MAP_H_

#include <stddef.h>
#include <stdint.h>

namespace rnnpool {

class FlexbufferMap {
 public:
  enum class Lookup { kFound, kMissing, kWrongType, kDamaged };

  // Returns false when the bytes are not a FlexBuffer with a map at its root.
  bool Open(const uint8_t* data, size_t size);

  // An integer, signed or unsigned, inline or indirect. Unsigned values above INT64_MAX are read
  // as INT64_MAX.
  Lookup GetInt(const char* key, int64_t* value) const;

  // A floating-point number of 4 or 8 bytes, inline or indirect.
  Lookup GetFloat(const char* key, double* value) const;

  // A string; *text points into the data and is not terminated.
  Lookup GetString(const char* key, const char** text, size_t* length) const;

 private:
  struct Value {
    size_t position;      // where the inline value or the offset is stored
    uint32_t type;        // FlexBuffer type number
    uint32_t byte_width;  // of what an offset leads to
  };

  bool ReadUint(size_t position, uint32_t byte_width, uint64_t* value) const;
  bool FollowOffset(size_t position, uint32_t byte_width, size_t* target) const;
  bool ReadLength(size_t target, uint32_t byte_width, size_t* length) const;
  bool KeyEquals(size_t position, const char* key, bool* equal) const;
  Lookup Find(const char* key, Value* value) const;

  // The bits of a number, which stand inline or where an offset leads.
  bool ReadNumber(const Value& value, bool indirect, uint64_t* bits, uint32_t* byte_width) const;

  const uint8_t* data_;
  size_t size_;
  size_t values_;         // position of the first value
  size_t keys_;           // position of the first offset to a key
  size_t count_;          // number of entries
  uint32_t value_width_;  // bytes of one value
  uint32_t key_width_;    // bytes of one key offset
};

}  // namespace rnnpool

#endif  // RNNPOOL_FLEXBUFFER_MAP_H_
