// Runs the core under AddressSanitizer and UndefinedBehaviorSanitizer.
//
//   core_sanitized <seed>     Prints what was done; exits 0 when all was well.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "rnnpool/int8_packed.h"
#include "rnnpool/rnnpool_core.h"
#include "sanitized.h"

namespace {

using namespace rnnpool;

using sanitized::Allocate;
using sanitized::AnyInt32;
using sanitized::Random;
using sanitized::Require;

// ---- layers ----

struct Cell {
  std::vector<int8_t> kernel, recurrent;
  std::vector<float> kernel_scales, recurrent_scales;
  std::vector<int32_t> bias_gate, bias_update;
  GatesKind gates;

  Cell(int inputs, int units, bool extreme)
      : kernel(inputs * units),
        recurrent(units * units),
        kernel_scales(Random(2) ? units : 1),
        recurrent_scales(Random(2) ? units : 1),
        bias_gate(units),
        bias_update(units),
        gates(static_cast<GatesKind>(Random(2))) {
    for (int8_t& q : kernel) q = Weight(extreme);
    for (int8_t& q : recurrent) q = Weight(extreme);
    for (float& s : kernel_scales) s = Scale(extreme);
    for (float& s : recurrent_scales) s = Scale(extreme);
    for (int32_t& b : bias_gate) b = Bias(extreme);
    for (int32_t& b : bias_update) b = Bias(extreme);
  }

  Int8CellWeights Weights(int inputs) const {
    return {
        inputs,
        static_cast<int32_t>(bias_gate.size()),
        {kernel.data(), kernel_scales.data(), static_cast<int32_t>(kernel_scales.size()), 0},
        {recurrent.data(), recurrent_scales.data(), static_cast<int32_t>(recurrent_scales.size()),
         0},
        bias_gate.data(),
        bias_update.data(),
        gates};
  }

 private:
  static int8_t Weight(bool extreme) {
    const int8_t ends[3] = {-128, -127, 127};
    return extreme ? ends[Random(3)] : static_cast<int8_t>(Random(256) - 128);
  }
  static float Scale(bool extreme) {
    if (extreme && Random(2)) return 4.0f;
    return static_cast<float>(1 + Random(1000)) / 100000.0f;
  }
  static int32_t Bias(bool extreme) {
    const int32_t ends[4] = {INT32_MIN, INT32_MAX, 0, 1 << 30};
    return extreme ? ends[Random(4)] : static_cast<int32_t>(Random(1u << 29)) - (1 << 28);
  }
};

Geometry RandomGeometry() {
  const int32_t pool_height = 1 + Random(6), pool_width = 1 + Random(6);
  return {pool_height, pool_width, static_cast<int32_t>(1 + Random(8)),
          static_cast<int32_t>(1 + Random(8)), static_cast<Padding>(Random(3))};
}

// Feeds the map one row at a time from a buffer of its own; the rows reported as complete must be
// final at once, and the whole must equal `expected`.
template <class Layer>
void CheckRows(const Layer& layer, const typename Layer::Input* input,
               const typename Layer::Output* expected, size_t output_bytes) {
  typedef typename Layer::Input Input;
  typedef typename Layer::Output Output;
  const SweepShape& shape = layer.shape;
  const size_t row_elements = static_cast<size_t>(shape.width) * shape.channels;
  std::unique_ptr<uint8_t[]> scratch = Allocate(layer.scratch.bytes);
  std::unique_ptr<uint8_t[]> output = Allocate(output_bytes);
  MapSweep<Layer> sweep(layer, scratch.get());
  sweep.Begin(reinterpret_cast<Output*>(output.get()));
  int32_t finished = 0;
  for (int32_t y = 0; y < shape.height; ++y) {
    std::unique_ptr<Input[]> row(new Input[row_elements]);
    memcpy(row.get(), input + y * row_elements, row_elements * sizeof(Input));
    const int32_t now = sweep.FeedRow(row.get());
    Require(now >= finished && now <= shape.grid.out_height, "rows complete in order");
    finished = now;
    Require(memcmp(output.get(), expected, sizeof(Output) * finished * shape.output_row()) == 0,
            "complete rows are final");
  }
  Require(finished == shape.grid.out_height, "all rows complete");
}

template <class Layer>
size_t OutputBytes(const Layer& layer) {
  return sizeof(typename Layer::Output) * layer.shape.grid.out_height * layer.shape.output_row();
}

// Returns whether the layer could run.
bool RunInt8Layer(bool extreme) {
  const int32_t height = 1 + Random(12), width = 1 + Random(12), channels = 1 + Random(5);
  const int32_t h1 = Random(20) == 0 ? 46 : 1 + Random(9), h2 = 1 + Random(9);
  const Cell cell1(channels, h1, extreme), cell2(h1, h2, extreme);
  const Int8Spec spec = {{height, width, channels, RandomGeometry()},
                         extreme ? 0.5f : 0.02f,
                         static_cast<int32_t>(Random(256)) - 128,
                         cell1.Weights(channels),
                         cell2.Weights(h1)};
  Int8Plan plan;
  if (PlanInt8(spec, &plan) != nullptr) return false;
  std::unique_ptr<uint8_t[]> persistent = Allocate(plan.persistent_bytes);
  std::unique_ptr<uint8_t[]> scratch = Allocate(plan.scratch.bytes);
  Int8Layer layer;
  BuildInt8(spec, plan, persistent.get(), &layer);
  std::unique_ptr<uint8_t[]> input = Allocate(static_cast<size_t>(height) * width * channels);
  std::unique_ptr<uint8_t[]> output = Allocate(OutputBytes(layer));
  const int8_t* pixels = reinterpret_cast<const int8_t*>(input.get());
  RunInt8(layer, 1, pixels, reinterpret_cast<int8_t*>(output.get()), scratch.get());
  CheckRows(layer, pixels, reinterpret_cast<const int8_t*>(output.get()), OutputBytes(layer));
  return true;
}

bool RunFloatLayer() {
  const int32_t height = 1 + Random(12), width = 1 + Random(12), channels = 1 + Random(5);
  const int32_t h1 = 1 + Random(9), h2 = 1 + Random(9);
  std::vector<float> weights(h1 * channels + h1 * h1 + h2 * h1 + h2 * h2 + h1 + h2);
  for (float& w : weights) w = static_cast<float>(Random(2001)) / 1000.0f - 1.0f;
  const float* w = weights.data();
  const float* biases = w + h1 * channels + h1 * h1 + h2 * h1 + h2 * h2;
  const GatesKind gates = static_cast<GatesKind>(Random(2));
  const FloatSpec spec = {
      {height, width, channels, RandomGeometry()},
      {channels, h1, w, w + h1 * channels, biases, biases, 1.0f, 0.0f, gates},
      {h1, h2, w + h1 * channels + h1 * h1, w + h1 * channels + h1 * h1 + h2 * h1, biases + h1,
       biases + h1, 1.0f, 0.0f, gates}};
  FloatLayer layer;
  if (PlanFloat(spec, &layer) != nullptr) return false;
  std::vector<float> input(height * width * channels);
  for (float& x : input) x = static_cast<float>(Random(2001)) / 1000.0f - 1.0f;
  std::unique_ptr<uint8_t[]> scratch = Allocate(layer.scratch.bytes);
  std::unique_ptr<uint8_t[]> output = Allocate(OutputBytes(layer));
  RunFloat(layer, 1, input.data(), reinterpret_cast<float*>(output.get()), scratch.get());
  CheckRows(layer, input.data(), reinterpret_cast<const float*>(output.get()), OutputBytes(layer));
  return true;
}

// Dimensions of any size must be refused or planned without overflow.
void FuzzShapes(int rounds) {
  for (int round = 0; round < rounds; ++round) {
    int32_t value[9];
    for (int32_t& v : value) v = AnyInt32();
    SweepShape shape;
    ScratchLayout scratch;
    shape.height = value[0];
    shape.width = value[1];
    shape.channels = value[2];
    shape.units1 = value[3];
    shape.units2 = value[4];
    shape.geometry = {value[5], value[6], value[7], value[8], static_cast<Padding>(Random(4))};
    if (PlanShape(2, 0, &shape, &scratch) != nullptr) continue;
    Require(scratch.products < scratch.summaries && scratch.summaries < scratch.workspace &&
                scratch.workspace < scratch.states && scratch.states < scratch.sequences &&
                scratch.sequences < scratch.bytes && scratch.bytes <= INT32_MAX,
            "scratch parts are in order");
  }
}

// ---- packed matrices ----

struct Stream {
  int32_t rows, columns;
  std::vector<uint8_t> bytes;
};

void Append(int32_t number, std::vector<uint8_t>* bytes) {
  for (int i = 0; i < 4; ++i) bytes->push_back(static_cast<uint8_t>(number >> 8 * i));
}

Stream RandomStream() {
  const int32_t columns = Random(4) == 0 ? 505 + Random(20) : 1 + Random(40);
  Stream stream = {static_cast<int32_t>(1 + Random(6)), columns, {'R', 'P', 'K', '1'}};
  Append(stream.rows, &stream.bytes);
  Append(columns, &stream.bytes);
  std::vector<uint8_t> groups;
  for (int32_t start = 0; start < PairsOf(columns); start += kPackedSegment) {
    for (int32_t r = 0; r < stream.rows; ++r) {
      int32_t index = 0, count = 0;
      const int32_t pairs = std::min(PairsOf(columns) - start, kPackedSegment);
      while (index < pairs && Random(6) != 0) {
        uint8_t group[kPackedGroupBytes] = {};
        for (int p = 0; p < 4 && index < pairs; ++p, index += 1 + Random(3)) {
          group[p] = static_cast<uint8_t>(index);
          const int place = 4 + p / 2 * 4 + p % 2;
          group[place] = static_cast<uint8_t>(Random(256));
          if (2 * (start + index) + 1 < columns) group[place + 2] = group[place];
        }
        groups.insert(groups.end(), group, group + kPackedGroupBytes);
        ++count;
      }
      stream.bytes.push_back(static_cast<uint8_t>(count));
    }
  }
  while (stream.bytes.size() % 4 != 0) stream.bytes.push_back(0);
  stream.bytes.insert(stream.bytes.end(), groups.begin(), groups.end());
  return stream;
}

// A stream that is accepted is multiplied, with as many vectors as there may be, all in buffers of
// exactly their size.
bool RunStream(const Stream& stream) {
  std::unique_ptr<uint8_t[]> bytes = Allocate(stream.bytes.size());
  memcpy(bytes.get(), stream.bytes.data(), stream.bytes.size());
  if (CheckPacked(bytes.get(), stream.bytes.size(), stream.rows, stream.columns) != nullptr) {
    return false;
  }
  PackedMatrix matrix;
  Require(OpenPacked(bytes.get(), stream.bytes.size(), &matrix), "a checked stream opens");
  const int32_t count = 1 + Random(kPackedVectors);
  const int32_t lanes = count == 1 ? 1 : kPackedVectors;
  std::unique_ptr<uint8_t[]> pixels = Allocate(count * stream.columns);
  std::unique_ptr<uint8_t[]> pairs = Allocate(4 * lanes * PairsOf(stream.columns));
  std::unique_ptr<uint8_t[]> sums = Allocate(4 * count * stream.rows);
  memset(sums.get(), 0, 4 * count * stream.rows);
  LayOutPairs(reinterpret_cast<const int8_t*>(pixels.get()), stream.columns, count, -3,
              stream.columns, reinterpret_cast<int16_t*>(pairs.get()));
  MultiplyPacked(matrix, reinterpret_cast<const int16_t*>(pairs.get()), count,
                 reinterpret_cast<int32_t*>(sums.get()));
  return true;
}

void FuzzStreams(int rounds) {
  int damaged = 0;
  for (int round = 0; round < rounds; ++round) {
    Stream stream = RandomStream();
    Require(RunStream(stream), "good streams are accepted");
    const uint32_t size = static_cast<uint32_t>(stream.bytes.size());
    stream.bytes[Random(size)] ^= static_cast<uint8_t>(1u << Random(8));
    if (Random(4) == 0) stream.bytes.resize(Random(size + 8));
    damaged += !RunStream(stream);
  }
  Require(damaged > rounds / 3, "enough streams are refused");
}

}  // namespace

int main(int argc, char** argv) {
  Require(argc == 2, "usage: core_sanitized <seed>");
  sanitized::Seed(argv[1]);
  FuzzShapes(100000);
  FuzzStreams(20000);
  int mild = 0, extreme = 0, floats = 0;
  for (int i = 0; i < 150; ++i) {
    mild += RunInt8Layer(false);
    extreme += RunInt8Layer(true);
    floats += RunFloatLayer();
  }
  printf("int8 mild %d, int8 extreme %d, float %d\n", mild, extreme, floats);
  Require(mild > 50 && extreme > 50 && floats > 50, "enough layers could run");
  return 0;
}
