#include "rnnpool/conv_pool_options.h"

#include "rnnpool/options.h"

namespace rnnpool {
namespace {

const char kPrefixes[kMaxConvolutions][7] = {"conv0_", "conv1_", "conv2_", "conv3_"};

void ReadConvolution(OptionReader* reader, ConvolutionSpec* convolution) {
  reader->ReadExtent("stride_height", &convolution->stride_height);
  reader->ReadExtent("stride_width", &convolution->stride_width);
  reader->ReadInt("pad_top", 0, kMaxKernel - 1, &convolution->pad_top);
  reader->ReadInt("pad_left", 0, kMaxKernel - 1, &convolution->pad_left);
  reader->ReadExtent("out_height", &convolution->out_height);
  reader->ReadExtent("out_width", &convolution->out_width);
  reader->ReadInt("zero_point", -128, 127, &convolution->range.zero_point);
  reader->ReadInt("min", -128, 127, &convolution->range.min);
  reader->ReadInt("max", -128, 127, &convolution->range.max);
}

}  // namespace

const char* ParseConvPoolOptions(const uint8_t* data, size_t size, ConvPoolSpec* spec,
                                 int32_t* version, char (&error)[kOptionsErrorSize]) {
  OptionReader reader(kConvPoolName, error);
  *version = reader.Open(data, size, kConvPoolVersion);
  spec->count = 0;
  reader.ReadInt("convolutions", 1, kMaxConvolutions, &spec->count);
  for (int32_t i = 0; i < spec->count; ++i) {
    reader.SetPrefix(kPrefixes[i]);
    ReadConvolution(&reader, &spec->convolutions[i]);
  }
  reader.SetPrefix("");
  reader.ReadFloat("pool_scale", &spec->pool_scale);
  ReadGeometry(&reader, &spec->geometry);
  ReadGates(&reader, *version, &spec->cell1.gates);
  spec->cell2.gates = spec->cell1.gates;
  return reader.problem();
}

}  // namespace rnnpool
