// The kernels of the fused blocks against their portable form, and whole blocks against themselves
// with an output that overlaps the input, on random layers. Prints what was compared and ends with
// status 7 after a difference.

#include <string.h>

#include "arena.h"
#include "rnnpool/depthwise.h"
#include "rnnpool/inverted_residual.h"
#include "rnnpool/pointwise.h"
#include "rnnpool/residual_add.h"
#include "report.h"

namespace {

using rnnpool::ChannelTable;
using rnnpool::OutputRange;

const int kLayers = 400;
uint32_t state = 1;
bool failed = false;

uint32_t Next() {
  state = state * 1664525u + 1013904223u;
  return state >> 8;
}

int32_t Between(int32_t smallest, int32_t largest) {
  return smallest + static_cast<int32_t>(Next() % static_cast<uint32_t>(largest - smallest + 1));
}

bool Once(uint32_t in) { return Next() % in == 0; }

int8_t* Bytes(int32_t count) {
  // At any address.
  int8_t* bytes = static_cast<int8_t*>(cortex_m::Allocate(count + 3)) + Between(0, 3);
  const bool extreme = Once(4);
  for (int32_t i = 0; i < count; ++i) {
    bytes[i] = static_cast<int8_t>(extreme ? (Once(2) ? -128 : 127) : Between(-128, 127));
  }
  return bytes;
}

int32_t Multiplier() {
  if (Once(20)) return 0;
  if (Once(10)) return Once(2) ? 1 << 30 : INT32_MAX;
  return (1 << 30) + static_cast<int32_t>(Next() << 6 & 0x3FFFFFFF);
}

ChannelTable Table(int32_t channels) {
  int32_t* params = static_cast<int32_t*>(cortex_m::Allocate(12 * channels));
  // Most layers have shifts that spread outputs over all of int8; some saturate or vanish.
  const int32_t usual = Once(4) ? -Between(1, 31) : -Between(6, 10);
  for (int32_t c = 0; c < channels; ++c) {
    params[c] = Between(-8000, 8000) * Between(0, 8);
    params[channels + c] = Multiplier();
    const int32_t shift = usual + Between(-2, 2);
    params[2 * channels + c] = shift > -1 ? -1 : shift < -31 ? -31 : shift;
    if (params[channels + c] == 0) params[2 * channels + c] = 0;
  }
  // What a short form must refuse.
  if (Once(10)) params[2 * channels + Between(0, channels - 1)] = Once(2) ? 1 : 0;
  if (Once(20)) params[Between(0, channels - 1)] = 1 << 30;
  return rnnpool::TableFromParams(params, channels);
}

OutputRange Range() {
  OutputRange range = {Between(-128, 127), -128, 127};
  if (Once(4)) range.min = Between(-128, 0);
  if (Once(8)) range.max = Between(0, 127);
  return range;
}

void Compare(const char* kernel, int layer, const int8_t* expected, const int8_t* output,
             int32_t count) {
  if (memcmp(expected, output, count) == 0) return;
  failed = true;
  cortex_m::Print(kernel);
  cortex_m::Print(" differs in layer ");
  cortex_m::PrintNumber(layer);
  cortex_m::Print("\n");
}

bool ComparePointwise(int index) {
  const int32_t inputs = Once(8) ? Between(1, 4) : Between(1, 70);
  const int32_t outputs = Between(1, 13);
  const int32_t count = Between(1, 5);
  rnnpool::Pointwise layer = {inputs, outputs, Bytes(inputs * outputs), Table(outputs), Range()};
  const bool valid = CheckPointwise(layer) == nullptr;
  if (!valid) return false;
  FindShortForm(&layer);
  const int8_t* pixels = Bytes(inputs * count);
  int8_t* expected = Bytes(outputs * count + 1);
  int8_t* output = Bytes(outputs * count + 1);
  output[outputs * count] = expected[outputs * count];  // must not be written to
  RunPointwisePortable(layer, pixels, count, expected);
  RunPointwise(layer, pixels, count, output, cortex_m::Allocate(PointwiseWorkspace(layer)));
  Compare("pointwise", index, expected, output, outputs * count + 1);
  return layer.table.short_form;
}

bool CompareDepthwise(int index) {
  const int32_t channels = Between(1, 40);
  const int32_t taps = Once(2) ? 9 : Between(1, 49);
  rnnpool::Depthwise layer = {channels, taps, Bytes(taps * channels), Table(channels), Range()};
  if (CheckDepthwise(layer) != nullptr) return false;
  FindShortForm(&layer);
  const int8_t* pixels[49];
  for (int32_t t = 0; t < taps; ++t) pixels[t] = Bytes(channels);
  int8_t* expected = Bytes(channels + 1);
  int8_t* output = Bytes(channels + 1);
  output[channels] = expected[channels];
  RunDepthwisePortable(layer, pixels, expected);
  RunDepthwise(layer, pixels, output);
  Compare("depthwise", index, expected, output, channels + 1);
  return layer.table.short_form;
}

rnnpool::AddFactor Factor() {
  if (Once(2)) return {1 << 30, 0};
  return {Multiplier(), -Between(0, Once(4) ? 31 : 6)};
}

bool CompareSum(int index) {
  rnnpool::ResidualAdd layer = {Between(-128, 127),
                                Between(-128, 127),
                                Factor(),
                                Factor(),
                                {Multiplier(), -Between(17, 21)},
                                Range()};
  if (CheckResidualAdd(layer) != nullptr) return false;
  const int32_t count = Between(1, 300);
  const int8_t* x = Bytes(count);
  int8_t* y = Bytes(count + 1);
  int8_t* expected = Bytes(count + 1);
  expected[count] = y[count];
  RunResidualAddPortable(layer, x, y, count, expected);
  RunResidualAdd(layer, x, y, count, y);
  Compare("sum", index, expected, y, count + 1);
  return layer.x.shift == 0 || layer.y.shift == 0;
}

// A random block that can run, in `layer`.
bool Block(rnnpool::InvertedResidual* layer) {
  rnnpool::InvertedResidualSpec spec = {};
  spec.height = Between(1, 9);
  spec.width = Between(1, 9);
  spec.channels = Between(1, 20);
  spec.input_zero_point = Between(-128, 127);
  spec.residual = Once(3);
  const int32_t expanded = Between(1, 40);
  const int32_t kernel = spec.residual || Once(2) ? 3 : Between(1, 4);
  const int32_t stride = spec.residual || kernel == 1 ? 1 : Between(1, 2);
  spec.kernel_height = spec.kernel_width = kernel;
  spec.stride_height = spec.stride_width = stride;
  spec.pad_top = spec.pad_left = spec.residual ? 1 : Between(0, kernel - 1);
  spec.out_height = (spec.height + stride - 1) / stride;
  spec.out_width = (spec.width + stride - 1) / stride;
  const int32_t outputs = spec.residual ? spec.channels : Between(1, 24);
  spec.expand = {spec.channels, expanded, Bytes(expanded * spec.channels), Table(expanded),
                 Range()};
  spec.filter = {expanded, kernel * kernel, Bytes(kernel * kernel * expanded), Table(expanded),
                 Range()};
  spec.project = {expanded, outputs, Bytes(outputs * expanded), Table(outputs), Range()};
  spec.add = {spec.input_zero_point,
              spec.project.range.zero_point,
              Factor(),
              Factor(),
              {Multiplier(), -Between(17, 21)},
              Range()};
  return PlanInvertedResidual(spec, layer) == nullptr;
}

// How far behind x the output may begin, by the promise in inverted_residual.h.
int32_t LargestOffset(const rnnpool::InvertedResidualSpec& spec) {
  const int32_t x_row = spec.width * spec.channels;
  const int32_t y_row = spec.out_width * spec.project.outputs;
  int32_t offset = spec.residual ? 0 : spec.height * x_row;
  for (int32_t row = 0; row < spec.out_height; ++row) {
    const int32_t done = row * spec.stride_height - spec.pad_top + spec.kernel_height - 1;
    const int32_t here = done * x_row - (row + 1) * y_row;
    if (done < spec.height && here < offset) offset = here;
  }
  return offset;
}

bool CompareInPlace(int index) {
  rnnpool::InvertedResidual layer;
  if (!Block(&layer)) return false;
  const rnnpool::InvertedResidualSpec& spec = layer.spec;
  const int32_t x_bytes = spec.height * spec.width * spec.channels;
  const int32_t y_bytes = spec.out_height * spec.out_width * spec.project.outputs;
  const int32_t offset = LargestOffset(spec) - (Once(2) ? 0 : Between(0, x_bytes));
  const int32_t before = offset < 0 ? -offset : 0;
  int8_t* memory = Bytes(before + x_bytes + (offset < 0 ? 0 : offset) + y_bytes);
  int8_t* x = memory + before;
  int8_t* expected = Bytes(y_bytes);
  void* workspace = cortex_m::Allocate(layer.workspace_bytes);
  RunInvertedResidual(layer, 1, x, expected, workspace);
  RunInvertedResidual(layer, 1, x, x + offset, workspace);
  Compare("block in place", index, expected, x + offset, y_bytes);
  return offset < x_bytes && -offset < y_bytes;
}

void Run(const char* name, bool (*compare)(int)) {
  int fast = 0;
  for (int i = 0; i < kLayers; ++i) {
    cortex_m::ResetArena();
    state = static_cast<uint32_t>(i) + 1;
    if (compare(i)) ++fast;
  }
  cortex_m::Report(name, static_cast<uint32_t>(fast));
}

}  // namespace

int main() {
  Run("pointwise=", ComparePointwise);
  Run("depthwise=", CompareDepthwise);
  Run("sum=", CompareSum);
  Run("in place=", CompareInPlace);
  return failed ? 7 : 0;
}
