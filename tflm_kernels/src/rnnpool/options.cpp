#include "rnnpool/options.h"

namespace rnnpool {

const char* ParseOptions(const uint8_t* data, size_t size, RnnPoolOptions* options,
                         char (&error)[kOptionsErrorSize]) {
  OptionReader reader(kRnnPoolName, error);
  options->version = reader.Open(data, size, kOptionsVersion);
  ReadGeometry(&reader, &options->geometry);
  ReadGates(&reader, options->version, &options->gates);
  return reader.problem();
}

void ReadGeometry(OptionReader* reader, Geometry* geometry) {
  reader->ReadExtent("pool_height", &geometry->pool_height);
  reader->ReadExtent("pool_width", &geometry->pool_width);
  reader->ReadExtent("stride_height", &geometry->stride_height);
  reader->ReadExtent("stride_width", &geometry->stride_width);
  reader->ReadPadding("padding", &geometry->padding);
}

void ReadGates(OptionReader* reader, int32_t version, GatesKind* gates) {
  *gates = GatesKind::kSmooth;
  if (version < 2) {
    reader->ReadNone("gates");
  } else {
    reader->ReadGates("gates", gates);
  }
}

}  // namespace rnnpool
