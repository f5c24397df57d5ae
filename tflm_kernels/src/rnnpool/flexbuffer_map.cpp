#include "rnnpool/flexbuffer_map.h"

#include <string.h>

namespace rnnpool {
namespace {

// Type numbers of the FlexBuffer format.
enum : uint32_t {
  kInt = 1,
  kUint = 2,
  kFloat = 3,
  kString = 5,
  kIndirectInt = 6,
  kIndirectUint = 7,
  kIndirectFloat = 8,
  kMap = 9,
};

// A packed type holds the type number above two bits with the logarithm of the byte width.
uint32_t TypeOf(uint8_t packed) { return packed >> 2; }
uint32_t WidthOf(uint8_t packed) { return 1u << (packed & 3); }

int64_t SignExtend(uint64_t value, uint32_t byte_width) {
  if (byte_width == 8) return static_cast<int64_t>(value);
  const uint64_t sign = uint64_t(1) << (8 * byte_width - 1);
  return static_cast<int64_t>((value ^ sign) - sign);
}

}  // namespace

bool FlexbufferMap::ReadUint(size_t position, uint32_t byte_width, uint64_t* value) const {
  if (position > size_ || size_ - position < byte_width) return false;
  uint64_t result = 0;
  for (uint32_t i = byte_width; i > 0; --i) result = (result << 8) | data_[position + i - 1];
  *value = result;
  return true;
}

bool FlexbufferMap::FollowOffset(size_t position, uint32_t byte_width, size_t* target) const {
  uint64_t offset;
  if (!ReadUint(position, byte_width, &offset) || offset > position) return false;
  *target = position - static_cast<size_t>(offset);
  return true;
}

// The number of elements of a vector or string stands right before its first element.
bool FlexbufferMap::ReadLength(size_t target, uint32_t byte_width, size_t* length) const {
  uint64_t value;
  if (target < byte_width || !ReadUint(target - byte_width, byte_width, &value)) return false;
  if (value > size_) return false;
  *length = static_cast<size_t>(value);
  return true;
}

bool FlexbufferMap::Open(const uint8_t* data, size_t size) {
  data_ = data;
  size_ = size;
  if (data == nullptr || size < 3) return false;
  // The root stands at the end: value, packed type, byte width of the value.
  const uint32_t root_width = data[size - 1];
  const uint8_t root_type = data[size - 2];
  if (root_width != 1 && root_width != 2 && root_width != 4 && root_width != 8) return false;
  if (TypeOf(root_type) != kMap || size - 2 < root_width) return false;
  if (!FollowOffset(size - 2 - root_width, root_width, &values_)) return false;

  // A map is: offset to its keys, byte width of the keys, number of entries, values, packed types.
  value_width_ = WidthOf(root_type);
  if (values_ < 3 * value_width_) return false;
  uint64_t key_width;
  if (!ReadLength(values_, value_width_, &count_) ||
      !ReadUint(values_ - 2 * value_width_, value_width_, &key_width) ||
      !FollowOffset(values_ - 3 * value_width_, value_width_, &keys_)) {
    return false;
  }
  if (key_width != 1 && key_width != 2 && key_width != 4 && key_width != 8) return false;
  key_width_ = static_cast<uint32_t>(key_width);
  const size_t bytes_of_values = size_ - values_;
  const size_t bytes_of_keys = size_ - keys_;
  return count_ <= bytes_of_values / (value_width_ + 1) && count_ <= bytes_of_keys / key_width_;
}

bool FlexbufferMap::KeyEquals(size_t position, const char* key, bool* equal) const {
  size_t target;
  if (!FollowOffset(position, key_width_, &target)) return false;
  *equal = false;
  for (;; ++target, ++key) {
    if (target >= size_) return false;
    if (data_[target] != static_cast<uint8_t>(*key)) return true;
    if (*key == '\0') {
      *equal = true;
      return true;
    }
  }
}

FlexbufferMap::Lookup FlexbufferMap::Find(const char* key, Value* value) const {
  for (size_t i = 0; i < count_; ++i) {
    bool equal;
    if (!KeyEquals(keys_ + i * key_width_, key, &equal)) return Lookup::kDamaged;
    if (!equal) continue;
    const uint8_t packed = data_[values_ + count_ * value_width_ + i];
    value->position = values_ + i * value_width_;
    value->type = TypeOf(packed);
    value->byte_width = WidthOf(packed);
    return Lookup::kFound;
  }
  return Lookup::kMissing;
}

bool FlexbufferMap::ReadNumber(const Value& value, bool indirect, uint64_t* bits,
                               uint32_t* byte_width) const {
  size_t position = value.position;
  if (indirect && !FollowOffset(position, value_width_, &position)) return false;
  *byte_width = indirect ? value.byte_width : value_width_;
  return ReadUint(position, *byte_width, bits);
}

FlexbufferMap::Lookup FlexbufferMap::GetInt(const char* key, int64_t* value) const {
  Value found;
  const Lookup lookup = Find(key, &found);
  if (lookup != Lookup::kFound) return lookup;
  const bool indirect = found.type == kIndirectInt || found.type == kIndirectUint;
  if (!indirect && found.type != kInt && found.type != kUint) return Lookup::kWrongType;
  uint64_t bits;
  uint32_t width;
  if (!ReadNumber(found, indirect, &bits, &width)) return Lookup::kDamaged;
  if (found.type == kInt || found.type == kIndirectInt) {
    *value = SignExtend(bits, width);
  } else {
    *value = bits > uint64_t(INT64_MAX) ? INT64_MAX : static_cast<int64_t>(bits);
  }
  return Lookup::kFound;
}

FlexbufferMap::Lookup FlexbufferMap::GetFloat(const char* key, double* value) const {
  Value found;
  const Lookup lookup = Find(key, &found);
  if (lookup != Lookup::kFound) return lookup;
  const bool indirect = found.type == kIndirectFloat;
  if (!indirect && found.type != kFloat) return Lookup::kWrongType;
  uint64_t bits;
  uint32_t width;
  if (!ReadNumber(found, indirect, &bits, &width) || width < 4) return Lookup::kDamaged;
  if (width == 4) {
    const uint32_t bits32 = static_cast<uint32_t>(bits);
    float number;
    memcpy(&number, &bits32, sizeof(number));
    *value = static_cast<double>(number);
  } else {
    memcpy(value, &bits, sizeof(bits));
  }
  return Lookup::kFound;
}

FlexbufferMap::Lookup FlexbufferMap::GetString(const char* key, const char** text,
                                               size_t* length) const {
  Value found;
  const Lookup lookup = Find(key, &found);
  if (lookup != Lookup::kFound) return lookup;
  if (found.type != kString) return Lookup::kWrongType;
  size_t target;
  if (!FollowOffset(found.position, value_width_, &target) ||
      !ReadLength(target, found.byte_width, length) || *length > size_ - target) {
    return Lookup::kDamaged;
  }
  *text = reinterpret_cast<const char*>(data_ + target);
  return Lookup::kFound;
}

}  // namespace rnnpool
