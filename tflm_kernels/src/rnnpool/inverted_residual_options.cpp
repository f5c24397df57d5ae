#include "rnnpool/inverted_residual_options.h"

namespace rnnpool {
namespace {

// Reads an integer that must lie in the type's own range, or in a narrower one.
template <typename Integer>
void ReadAs(OptionReader* reader, const char* key, int32_t minimum, int32_t maximum,
            Integer* value) {
  int32_t number = 0;
  reader->ReadInt(key, minimum, maximum, &number);
  *value = static_cast<Integer>(number);
}

void ReadRange(OptionReader* reader, const char* prefix, PackedRange* range) {
  reader->SetPrefix(prefix);
  ReadAs(reader, "zero_point", -128, 127, &range->zero_point);
  ReadAs(reader, "min", -128, 127, &range->min);
  ReadAs(reader, "max", -128, 127, &range->max);
}

void ReadFactor(OptionReader* reader, const char* prefix, AddFactor* factor) {
  reader->SetPrefix(prefix);
  reader->ReadInt("multiplier", 0, INT32_MAX, &factor->multiplier);
  reader->ReadInt("shift", -31, 30, &factor->shift);
}

}  // namespace

const char* ParseInvertedResidualOptions(const uint8_t* data, size_t size, bool expands,
                                         InvertedResidualOptions* options,
                                         char (&error)[kOptionsErrorSize]) {
  *options = InvertedResidualOptions();
  OptionReader reader(kInvertedResidualName, error);
  reader.Open(data, size, kInvertedResidualVersion);
  ReadAs(&reader, "stride_height", 1, INT16_MAX, &options->stride_height);
  ReadAs(&reader, "stride_width", 1, INT16_MAX, &options->stride_width);
  ReadAs(&reader, "pad_top", 0, kLargestFilter - 1, &options->pad_top);
  ReadAs(&reader, "pad_left", 0, kLargestFilter - 1, &options->pad_left);
  ReadAs(&reader, "residual", 0, 1, &options->residual);
  if (expands) ReadRange(&reader, "expanded_", &options->expanded);
  ReadRange(&reader, "filtered_", &options->filtered);
  ReadRange(&reader, "projected_", &options->projected);
  if (options->residual) {
    ReadFactor(&reader, "input_", &options->input);
    ReadFactor(&reader, "projected_", &options->projected_factor);
    ReadFactor(&reader, "sum_", &options->sum_factor);
    ReadAs(&reader, "min", -128, 127, &options->sum_min);
    ReadAs(&reader, "max", -128, 127, &options->sum_max);
  }
  return reader.problem();
}

}  // namespace rnnpool
