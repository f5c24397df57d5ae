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

int32_t OptionReader::Open(const uint8_t* data, size_t size, int32_t newest) {
  if (!map_.Open(data, size)) {
    failed_ = true;
    Text(error_).Add(operator_name_).Add("'s options are not a map.");
    return newest;
  }
  int64_t version = newest;
  const Lookup lookup = map_.GetInt("version", &version);
  if (lookup != Lookup::kFound) {
    Explain(lookup, "version", "an integer");
  } else if (version < 1 || version > newest) {
    failed_ = true;
    Text sentence(error_);
    sentence.Add(operator_name_).Add(" version ").Add(version);
    sentence.Add(" is not supported; this build knows version");
    sentence.Add(newest == 1 ? " " : "s 1 to ").Add(static_cast<int64_t>(newest));
  }
  return failed_ ? newest : static_cast<int32_t>(version);
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

void OptionReader::ReadGates(const char* key, GatesKind* value) {
  *value = GatesKind::kSmooth;
  if (failed_) return;
  key = FullKey(key);
  const char* text;
  size_t length;
  const Lookup lookup = map_.GetString(key, &text, &length);
  if (lookup == Lookup::kMissing) return;
  if (lookup != Lookup::kFound) {
    Explain(lookup, key, "a string");
  } else if (Equals(text, length, "piecewise_linear")) {
    *value = GatesKind::kPiecewiseLinear;
  } else if (!Equals(text, length, "smooth")) {
    Explain(Lookup::kWrongType, key, "\"smooth\" or \"piecewise_linear\"");
  }
}

void OptionReader::ReadNone(const char* key) {
  if (failed_) return;
  key = FullKey(key);
  const char* text;
  size_t length;
  const Lookup lookup = map_.GetString(key, &text, &length);
  if (lookup != Lookup::kMissing) {
    Explain(lookup == Lookup::kDamaged ? lookup : Lookup::kWrongType, key,
            "missing in this version");
  }
}

}  // namespace rnnpool
