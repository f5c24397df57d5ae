// Runs the fused inverted residual under AddressSanitizer and UndefinedBehaviorSanitizer.
//
//   fused_sanitized <seed>     Prints what was done; exits 0 when all was well.

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <memory>
#include <vector>

#include "rnnpool/inverted_residual.h"
#include "sanitized.h"

namespace {

using namespace rnnpool;
using sanitized::Allocate;
using sanitized::AnyInt32;
using sanitized::Random;
using sanitized::Require;

// Constants of one convolution, in memory of their own.
struct Stage {
  std::vector<int8_t> weights;
  std::vector<int32_t> bias, multiplier, shift;
  OutputRange range;

  // Hostile tables hold anything; others what a converter writes.
  Stage(int32_t channels, int32_t terms, bool hostile)
      : weights(channels * terms), bias(channels), multiplier(channels), shift(channels) {
    for (int8_t& w : weights) w = static_cast<int8_t>(Random(256) - 128);
    for (int32_t c = 0; c < channels; ++c) {
      bias[c] = static_cast<int32_t>(Random(1u << 20)) - (1 << 19);
      multiplier[c] = static_cast<int32_t>((1u << 30) + Random(1u << 30));
      shift[c] = static_cast<int32_t>(Random(8)) - 12;
      if (!hostile || Random(3 * channels) != 0) continue;
      bias[c] = AnyInt32();
      if (Random(2)) multiplier[c] = AnyInt32();
      shift[c] = Random(2) ? AnyInt32() : static_cast<int32_t>(Random(66)) - 33;
    }
    range.zero_point = static_cast<int32_t>(Random(256)) - 128;
    range.min = -128 + static_cast<int32_t>(Random(100));
    range.max = 127 - static_cast<int32_t>(Random(100));
  }

  ChannelTable table() const { return {bias.data(), multiplier.data(), shift.data()}; }
};

struct Block {
  int32_t channels, expanded, outputs, kernel_height, kernel_width;
  Stage expand, filter, project;
  InvertedResidualSpec spec;

  explicit Block(bool hostile)
      : channels(1 + Random(20)),
        expanded(Random(3) ? 1 + Random(40) : channels),
        outputs(Random(2) ? 1 + Random(20) : channels),
        kernel_height(1 + Random(Random(2) ? 3 : 7)),
        kernel_width(1 + Random(Random(2) ? 3 : 7)),
        expand(expanded, channels, hostile),
        filter(expanded, kernel_height * kernel_width, hostile),
        project(outputs, expanded, hostile),
        spec() {
    const bool expands = expanded != channels || Random(2);
    spec.height = 1 + Random(10);
    spec.width = 1 + Random(10);
    spec.channels = channels;
    spec.input_zero_point = static_cast<int32_t>(Random(256)) - 128;
    if (expands) {
      spec.expand = {channels, expanded, expand.weights.data(), expand.table(), expand.range};
    }
    spec.filter = {expanded, kernel_height * kernel_width, filter.weights.data(), filter.table(),
                   filter.range};
    spec.project = {expanded, outputs, project.weights.data(), project.table(), project.range};
    spec.kernel_height = kernel_height;
    spec.kernel_width = kernel_width;
    spec.stride_height = 1 + Random(3);
    spec.stride_width = 1 + Random(3);
    spec.pad_top = Random(kernel_height);
    spec.pad_left = Random(kernel_width);
    // Some windows begin below or right of the map, which is to be refused.
    spec.out_height = 1 + Random(spec.height);
    spec.out_width = 1 + Random(spec.width);
    if (outputs == channels && Random(2)) {
      spec.residual = true;
      spec.stride_height = spec.stride_width = 1;
      spec.out_height = spec.height;
      spec.out_width = spec.width;
      spec.add = {spec.input_zero_point, project.range.zero_point, Factor(hostile),
                  Factor(hostile),       Factor(hostile),          {7, -128, 127}};
    }
  }

 private:
  static AddFactor Factor(bool hostile) {
    if (hostile && Random(6) == 0) return {AnyInt32(), AnyInt32()};
    return {static_cast<int32_t>((1u << 30) + Random(1u << 30)), -static_cast<int32_t>(Random(20))};
  }
};

// Takes rows that are gone afterwards, except for what a residual still has to read.
void CheckRows(const InvertedResidual& layer, const int8_t* x,
               const std::vector<int8_t>& expected) {
  const InvertedResidualSpec& spec = layer.spec;
  const size_t row_bytes = static_cast<size_t>(spec.width) * spec.channels;
  const size_t out_row_bytes = static_cast<size_t>(spec.out_width) * spec.project.outputs;
  std::unique_ptr<uint8_t[]> workspace = Allocate(layer.workspace_bytes);
  InvertedResidualSweep sweep(layer);
  sweep.Begin(workspace.get());
  int32_t finished = 0;
  for (int32_t y = 0; y < spec.height; ++y) {
    std::unique_ptr<int8_t[]> row(new int8_t[row_bytes]);
    memcpy(row.get(), x + y * row_bytes, row_bytes);
    sweep.Take(spec.residual ? x + y * row_bytes : row.get());
    while (true) {
      std::unique_ptr<uint8_t[]> output = Allocate(out_row_bytes);
      if (!sweep.Next(reinterpret_cast<int8_t*>(output.get()))) break;
      Require(finished < spec.out_height, "no surplus rows");
      Require(memcmp(output.get(), expected.data() + finished * out_row_bytes, out_row_bytes) == 0,
              "rows are those of the whole map");
      Require(sweep.finished() == ++finished, "rows complete in order");
    }
  }
  Require(finished == spec.out_height, "all rows complete");
}

// Runs maps in memory of exactly their size. Returns whether the block could run.
bool RunBlock(bool hostile) {
  const Block block(hostile);
  InvertedResidual layer;
  if (PlanInvertedResidual(block.spec, &layer) != nullptr) return false;
  const InvertedResidualSpec& spec = layer.spec;
  const int32_t batch = 1 + Random(2);
  const size_t x_bytes = static_cast<size_t>(batch) * spec.height * spec.width * spec.channels;
  const size_t y_bytes =
      static_cast<size_t>(spec.out_height) * spec.out_width * spec.project.outputs;
  std::unique_ptr<uint8_t[]> x = Allocate(x_bytes);
  std::unique_ptr<uint8_t[]> y = Allocate(batch * y_bytes);
  std::unique_ptr<uint8_t[]> workspace = Allocate(layer.workspace_bytes);
  const int8_t* maps = reinterpret_cast<const int8_t*>(x.get());
  int8_t* outputs = reinterpret_cast<int8_t*>(y.get());
  RunInvertedResidual(layer, batch, maps, outputs, workspace.get());
  CheckRows(layer, maps, std::vector<int8_t>(outputs, outputs + y_bytes));
  return true;
}

// Extents of any size must be refused or planned without overflow.
void FuzzShapes(int rounds) {
  const Block block(false);
  for (int round = 0; round < rounds; ++round) {
    InvertedResidualSpec spec = block.spec;
    int32_t* const extents[] = {&spec.height,       &spec.width,    &spec.stride_height,
                                &spec.stride_width, &spec.pad_top,  &spec.pad_left,
                                &spec.out_height,   &spec.out_width};
    for (int32_t* extent : extents) {
      if (Random(3) == 0) *extent = AnyInt32();
    }
    InvertedResidual layer;
    if (PlanInvertedResidual(spec, &layer) != nullptr) continue;
    Require(layer.pointwise < layer.ring && layer.ring < layer.padding &&
                layer.padding < layer.filtered && layer.filtered < layer.projected &&
                layer.projected <= layer.workspace_bytes && layer.workspace_bytes <= INT32_MAX &&
                layer.ring_pixels >= 1,
            "workspace parts are in order");
  }
}

}  // namespace

int main(int argc, char** argv) {
  Require(argc == 2, "usage: fused_sanitized <seed>");
  sanitized::Seed(argv[1]);
  for (int i = 0; i < 40; ++i) FuzzShapes(3000);
  int mild = 0, hostile = 0;
  for (int i = 0; i < 1500; ++i) {
    mild += RunBlock(false);
    hostile += RunBlock(true);
  }
  printf("mild %d, hostile %d\n", mild, hostile);
  Require(mild > 500 && hostile > 300 && hostile < mild, "enough blocks could run");
  return 0;
}
