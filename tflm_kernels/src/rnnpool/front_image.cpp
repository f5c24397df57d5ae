#include "rnnpool/front_image.h"

#include <string.h>

namespace rnnpool {
namespace {

const char kMagic[4] = {'R', 'P', 'F', '1'};
const int32_t kMaxSide = 32767;

// Reads descriptors one number after the other, and the arrays that they point to. The first
// mistake is remembered; from then on numbers are 1 and arrays missing.
class Reader {
 public:
  Reader(const uint8_t* data, size_t size)
      : data_(data), size_(size), next_(0), error_(nullptr), packed_(false) {}

  const char* error() const { return error_; }

  void Fail(const char* error) {
    if (error_ == nullptr) error_ = error;
  }

  // From here on.
  void AllowPackedMatrices() { packed_ = true; }
  bool MatricesMayBePacked() const { return packed_; }

  int32_t Number() {
    int32_t value = 1;
    if (error_ == nullptr && size_ - next_ < sizeof(value)) Fail("The front image is truncated.");
    if (error_ != nullptr) return 1;
    memcpy(&value, data_ + next_, sizeof(value));
    next_ += sizeof(value);
    return value;
  }

  float Float() {
    const int32_t bits = Number();
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
  }

  int32_t Between(int32_t smallest, int32_t largest) {
    const int32_t value = Number();
    if (value >= smallest && value <= largest) return value;
    Fail("A number of the front image is out of range.");
    return smallest;
  }

  int32_t Side() { return Between(1, kMaxSide); }

  // The array of `count` elements that the next number points to; nullptr after a mistake.
  template <typename Element>
  const Element* Array(int64_t count) {
    return At<Element>(Number(), count);
  }

  // The same, or nullptr where the number is 0.
  template <typename Element>
  const Element* OptionalArray(int64_t count) {
    const int32_t position = Number();
    return position == 0 ? nullptr : At<Element>(position, count);
  }

 private:
  template <typename Element>
  const Element* At(int32_t position, int64_t count) {
    if (error_ != nullptr) return nullptr;
    const int64_t size = static_cast<int64_t>(size_);
    const int64_t element = static_cast<int64_t>(sizeof(Element));
    if (position <= 0 || position % 4 != 0 || position > size ||
        count > (size - position) / element) {
      Fail("An array of the front image lies outside of it.");
      return nullptr;
    }
    return reinterpret_cast<const Element*>(data_ + position);
  }

  const uint8_t* data_;
  size_t size_;
  size_t next_;
  const char* error_;
  bool packed_;
};

OutputRange ReadRange(Reader* reader) {
  OutputRange range;
  range.zero_point = reader->Number();
  range.min = reader->Number();
  range.max = reader->Number();
  return range;
}

ChannelTable ReadTable(int32_t channels, Reader* reader) {
  const int32_t* params = reader->Array<int32_t>(3 * static_cast<int64_t>(channels));
  const ChannelTable none = {nullptr, nullptr, nullptr, false};
  if (params == nullptr) return none;
  const ChannelTable table = {params, params + channels, params + 2 * channels, false};
  return table;
}

void ReadConvolution(int32_t channels, Reader* reader, ConvolutionSpec* convolution) {
  convolution->depthwise = reader->Between(0, 1) == 1;
  convolution->kernel_height = reader->Between(1, kMaxKernel);
  convolution->kernel_width = reader->Between(1, kMaxKernel);
  convolution->stride_height = reader->Side();
  convolution->stride_width = reader->Side();
  convolution->pad_top = reader->Between(0, kMaxSide);
  convolution->pad_left = reader->Between(0, kMaxSide);
  convolution->out_height = reader->Side();
  convolution->out_width = reader->Side();
  convolution->out_channels = reader->Side();
  convolution->range = ReadRange(reader);
  int64_t weights = static_cast<int64_t>(convolution->kernel_height) * convolution->kernel_width;
  weights *= convolution->out_channels;
  if (!convolution->depthwise) weights *= channels;
  convolution->weights = reader->Array<int8_t>(weights);
  convolution->table = ReadTable(convolution->out_channels, reader);
}

Int8Matrix ReadMatrix(int32_t rows, int32_t columns, Reader* reader) {
  Int8Matrix matrix;
  const int32_t packed = reader->MatricesMayBePacked() ? reader->Between(0, INT32_MAX) : 0;
  matrix.packed_bytes = static_cast<size_t>(packed);
  const int64_t dense = static_cast<int64_t>(rows) * columns;
  matrix.values = reader->Array<int8_t>(packed != 0 ? packed : dense);
  matrix.scale_count = reader->Between(1, rows);
  matrix.scales = reader->Array<float>(matrix.scale_count);
  return matrix;
}

void ReadCell(int32_t inputs, GatesKind gates, Reader* reader, Int8CellWeights* cell) {
  cell->gates = gates;
  cell->inputs = inputs;
  cell->units = reader->Side();
  cell->kernel = ReadMatrix(cell->units, inputs, reader);
  cell->recurrent = ReadMatrix(cell->units, cell->units, reader);
  cell->bias_gate = reader->Array<int32_t>(cell->units);
  cell->bias_update = reader->Array<int32_t>(cell->units);
}

void ReadPool(int32_t version, int32_t channels, Reader* reader, ConvPoolSpec* pool) {
  pool->geometry.pool_height = reader->Side();
  pool->geometry.pool_width = reader->Side();
  pool->geometry.stride_height = reader->Side();
  pool->geometry.stride_width = reader->Side();
  pool->geometry.padding = static_cast<Padding>(reader->Between(0, 2));
  const GatesKind gates =
      version < 2 ? GatesKind::kSmooth : static_cast<GatesKind>(reader->Between(0, 1));
  pool->pool_scale = reader->Float();
  ReadCell(channels, gates, reader, &pool->cell1);
  ReadCell(pool->cell1.units, gates, reader, &pool->cell2);
}

void ReadBlock(int32_t channels, Reader* reader, InvertedResidualSpec* block) {
  const bool expanded = reader->Between(0, 1) == 1;
  const int32_t filtered = reader->Side();
  const int32_t outputs = reader->Side();
  block->kernel_height = reader->Between(1, kLargestFilter);
  block->kernel_width = reader->Between(1, kLargestFilter);
  block->stride_height = reader->Side();
  block->stride_width = reader->Side();
  block->pad_top = reader->Between(0, kMaxSide);
  block->pad_left = reader->Between(0, kMaxSide);
  block->out_height = reader->Side();
  block->out_width = reader->Side();
  const int32_t taps = block->kernel_height * block->kernel_width;
  block->expand = Pointwise();
  block->filter.channels = filtered;
  block->filter.taps = taps;
  block->project.inputs = filtered;
  block->project.outputs = outputs;
  block->expand.range = ReadRange(reader);
  block->filter.range = ReadRange(reader);
  block->project.range = ReadRange(reader);
  if (expanded) {
    block->expand.inputs = channels;
    block->expand.outputs = filtered;
    block->expand.weights = reader->Array<int8_t>(static_cast<int64_t>(channels) * filtered);
    block->expand.table = ReadTable(filtered, reader);
  } else {
    reader->Between(0, 0);
    reader->Between(0, 0);
  }
  block->filter.weights = reader->Array<int8_t>(static_cast<int64_t>(taps) * filtered);
  block->filter.table = ReadTable(filtered, reader);
  block->project.weights = reader->Array<int8_t>(static_cast<int64_t>(filtered) * outputs);
  block->project.table = ReadTable(outputs, reader);
  block->residual = false;
}

}  // namespace

const char* ParseFront(const void* data, size_t size, FrontImage* image) {
  if (data == nullptr || reinterpret_cast<uintptr_t>(data) % 4 != 0) {
    return "The front image must be aligned to 4 bytes.";
  }
  if (size < sizeof(kMagic) || memcmp(data, kMagic, sizeof(kMagic)) != 0) {
    return "This is no front image.";
  }
  if (size > INT32_MAX) return "The front image is too large.";
  Reader reader(static_cast<const uint8_t*>(data), size);
  reader.Number();  // the magic
  const int32_t version = reader.Number();
  if (version < 1 || version > kFrontImageVersion) {
    reader.Fail("This version of front image is not supported; this build knows versions 1 and 2.");
  }
  if (version == 2) reader.AllowPackedMatrices();
  if (reader.Number() != static_cast<int32_t>(size)) {
    reader.Fail("The front image does not have the size that it states.");
  }

  ConvPoolSpec& pool = image->front.pool;
  pool.height = reader.Side();
  pool.width = reader.Side();
  pool.channels = reader.Side();
  pool.zero_point = reader.Between(-128, 127);
  image->pixel_table = reader.OptionalArray<int8_t>(static_cast<int64_t>(pool.channels) * 256);
  pool.count = reader.Between(0, kMaxConvolutions);
  image->front.block_count = reader.Between(0, kMaxFrontBlocks);

  int32_t channels = pool.channels;
  for (int32_t i = 0; i < pool.count; ++i) {
    ReadConvolution(channels, &reader, &pool.convolutions[i]);
    channels = pool.convolutions[i].out_channels;
  }
  ReadPool(version, channels, &reader, &pool);
  channels = 4 * pool.cell2.units;
  for (int32_t i = 0; i < image->front.block_count; ++i) {
    ReadBlock(channels, &reader, &image->front.blocks[i]);
    channels = image->front.blocks[i].project.outputs;
  }
  return reader.error();
}

}  // namespace rnnpool
