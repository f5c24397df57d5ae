#include "rnnpool/options.h"

#include <string.h>

#include "rnnpool/flexbuffer_map.h"

namespace rnnpool {
namespace {

typedef FlexbufferMap::Lookup Lookup;

// Composes a sentence in a fixed buffer; printf would cost kilobytes of flash.
class Sentence {
 public:
  explicit Sentence(char (&text)[kOptionsErrorSize]) : text_(text), length_(0) { text_[0] = '\0'; }

  Sentence& Add(const char* words) {
    while (*words != '\0' && length_ + 1 < kOptionsErrorSize) text_[length_++] = *words++;
    text_[length_] = '\0';
    return *this;
  }

  Sentence& Add(int64_t number) {
    char digits[21];
    char* first = digits + sizeof(digits) - 1;
    *first = '\0';
    uint64_t rest =
        number < 0 ? uint64_t(0) - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
    do {
      *--first = static_cast<char>('0' + rest % 10);
      rest /= 10;
    } while (rest != 0);
    if (number < 0) *--first = '-';
    return Add(first);
  }

  const char* text() const { return text_; }

 private:
  char* text_;
  size_t length_;
};

const char* Explain(Lookup lookup, const char* key, const char* kind, Sentence* error) {
  if (lookup == Lookup::kDamaged) return error->Add("RNNPool's options are damaged.").text();
  error->Add("RNNPool's option `").Add(key);
  if (lookup == Lookup::kMissing) return error->Add("` is missing.").text();
  return error->Add("` must be ").Add(kind).Add(".").text();
}

const char* ReadExtent(const FlexbufferMap& map, const char* key, int32_t* value, Sentence* error) {
  int64_t number;
  const Lookup lookup = map.GetInt(key, &number);
  if (lookup != Lookup::kFound) return Explain(lookup, key, "an integer", error);
  if (number < 1 || number > INT32_MAX) {
    error->Add("RNNPool's option `")
        .Add(key)
        .Add("` must be at least 1 and below 2^31. Received: ");
    return error->Add(key).Add("=").Add(number).text();
  }
  *value = static_cast<int32_t>(number);
  return nullptr;
}

bool Equals(const char* text, size_t length, const char* word) {
  return strlen(word) == length && memcmp(text, word, length) == 0;
}

const char* ReadPadding(const FlexbufferMap& map, Padding* padding, Sentence* error) {
  const char* text;
  size_t length;
  const Lookup lookup = map.GetString("padding", &text, &length);
  if (lookup != Lookup::kFound) return Explain(lookup, "padding", "a string", error);
  if (Equals(text, length, "valid")) {
    *padding = Padding::kValid;
  } else if (Equals(text, length, "same")) {
    *padding = Padding::kSame;
  } else if (Equals(text, length, "replicate")) {
    *padding = Padding::kReplicate;
  } else {
    error->Add("RNNPool's option `padding` must be \"valid\", \"same\" or \"replicate\".");
    return error->text();
  }
  return nullptr;
}

}  // namespace

const char* ParseOptions(const uint8_t* data, size_t size, RnnPoolOptions* options,
                         char (&error)[kOptionsErrorSize]) {
  Sentence sentence(error);
  FlexbufferMap map;
  if (!map.Open(data, size)) return sentence.Add("RNNPool's options are not a map.").text();

  // The version comes first: a later version may well lack the other keys.
  int64_t version;
  const Lookup lookup = map.GetInt("version", &version);
  if (lookup != Lookup::kFound) return Explain(lookup, "version", "an integer", &sentence);
  if (version != kOptionsVersion) {
    sentence.Add("RNNPool version ")
        .Add(version)
        .Add(" is not supported; this build knows version ");
    return sentence.Add(static_cast<int64_t>(kOptionsVersion)).text();
  }
  options->version = static_cast<int32_t>(version);

  Geometry* geometry = &options->geometry;
  const char* problem = ReadExtent(map, "pool_height", &geometry->pool_height, &sentence);
  if (problem == nullptr) {
    problem = ReadExtent(map, "pool_width", &geometry->pool_width, &sentence);
  }
  if (problem == nullptr) {
    problem = ReadExtent(map, "stride_height", &geometry->stride_height, &sentence);
  }
  if (problem == nullptr) {
    problem = ReadExtent(map, "stride_width", &geometry->stride_width, &sentence);
  }
  if (problem == nullptr) problem = ReadPadding(map, &geometry->padding, &sentence);
  return problem;
}

}  // namespace rnnpool
