#include "rnnpool/option_reader.h"

#include <float.h>
#include <string.h>

#include "rnnpool/text.h"

namespace rnnpool {
namespace {

bool Equals(const char* text, size_t length, const char* word) {
  return strlen(word) == length && memcmp(text, word, length) == 0;
}

}  // namespace

const char* OptionReader::FullKey(const char* key) {
  return Text(full_key_).Add(prefix_).Add(key).text();
}

void OptionReader::Explain(Lookup lookup, const char* key, const char* kind) {
  failed_ = true;
  Text sentence(error_);
  sentence.Add(operator_name_);
  if (lookup == Lookup::kDamaged) {
    sentence.Add("'s options are damaged.");
    return;
  }
  sentence.Add("'s option `").Add(key);
  if (lookup == Lookup::kMissing) {
    sentence.Add("` is missing.");
  } else {
    sentence.Add("` must be ").Add(kind).Add(".");
  }
}

int32_t OptionReader::Open(const uint8_t* data, size_t size, int32_t latest_version) {
  if (!map_.Open(data, size)) {
    failed_ = true;
    Text(error_).Add(operator_name_).Add("'s options are not a map.");
    return 0;
  }
  int64_t version;
  const Lookup lookup = map_.GetInt("version", &version);
  if (lookup != Lookup::kFound) {
    Explain(lookup, "version", "an integer");
  } else if (version < 1 || version > latest_version) {
    failed_ = true;
    Text sentence(error_);
    sentence.Add(operator_name_).Add(" version ").Add(version);
    sentence.Add(" is not supported; this build knows version ");
    if (latest_version > 1) sentence.Add("1 to ");
    sentence.Add(static_cast<int64_t>(latest_version));
  } else {
    return static_cast<int32_t>(version);
  }
  return 0;
}

void OptionReader::ReadInt(const char* key, int32_t minimum, int32_t maximum, int32_t* value) {
  if (failed_) return;
  key = FullKey(key);
  int64_t number;
  const Lookup lookup = map_.GetInt(key, &number);
  if (lookup != Lookup::kFound) {
    Explain(lookup, key, "an integer");
  } else if (number < minimum || number > maximum) {
    failed_ = true;
    Text sentence(error_);
    sentence.Add(operator_name_).Add("'s option `").Add(key).Add("` must be ");
    if (maximum == INT32_MAX) {
      sentence.Add("at least ").Add(static_cast<int64_t>(minimum)).Add(" and below 2^31");
    } else {
      sentence.Add("in ").Add(static_cast<int64_t>(minimum)).Add("..");
      sentence.Add(static_cast<int64_t>(maximum));
    }
    sentence.Add(". Received: ").Add(key).Add("=").Add(number);
  } else {
    *value = static_cast<int32_t>(number);
  }
}

void OptionReader::ReadFloat(const char* key, float* value) {
  if (failed_) return;
  key = FullKey(key);
  double number;
  const Lookup lookup = map_.GetFloat(key, &number);
  if (lookup != Lookup::kFound) {
    Explain(lookup, key, "a floating-point number");
  } else if (!(number >= -FLT_MAX && number <= FLT_MAX)) {  // false for NaN too
    Explain(Lookup::kWrongType, key, "a finite number");
  } else {
    *value = static_cast<float>(number);
  }
}

void OptionReader::ReadPadding(const char* key, Padding* value) {
  if (failed_) return;
  key = FullKey(key);
  const char* text;
  size_t length;
  const Lookup lookup = map_.GetString(key, &text, &length);
  if (lookup != Lookup::kFound) {
    Explain(lookup, key, "a string");
  } else if (Equals(text, length, "valid")) {
    *value = Padding::kValid;
  } else if (Equals(text, length, "same")) {
    *value = Padding::kSame;
  } else if (Equals(text, length, "replicate")) {
    *value = Padding::kReplicate;
  } else {
    Explain(Lookup::kWrongType, key, "\"valid\", \"same\" or \"replicate\"");
  }
}

}  // namespace rnnpool
