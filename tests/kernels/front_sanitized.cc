// Runs fronts of networks under AddressSanitizer and UndefinedBehaviorSanitizer: good images, and
// what is left of them after all kinds of damage.
//
//   front_sanitized <seed> <front image>...     Prints what was done; exits 0 when all was well.

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <memory>
#include <vector>

#include "rnnpool/front_image.h"
#include "rnnpool/line_stream.h"
#include "sanitized.h"

namespace {

using namespace rnnpool;
using sanitized::Allocate;
using sanitized::AnyInt32;
using sanitized::Random;
using sanitized::Require;

// Larger ones would only take time.
const size_t kMostMemory = 1 << 22;
const int64_t kMostPixels = 1 << 12;

typedef std::vector<uint8_t> Bytes;

// In memory of exactly its size; new's alignment is what an image needs.
std::unique_ptr<uint8_t[]> Exactly(const Bytes& bytes) {
  std::unique_ptr<uint8_t[]> memory(new uint8_t[bytes.size()]);
  if (!bytes.empty()) memcpy(memory.get(), bytes.data(), bytes.size());
  return memory;
}

LineStatus FeedFromExactMemory(LineStream* stream, int32_t y, size_t bytes, PixelFormat format) {
  const std::unique_ptr<uint8_t[]> line = Allocate(bytes);
  return stream->Feed(y, line.get(), bytes, format);
}

// Lines that must be refused, whatever they contain.
void FeedWrongLines(LineStream* stream, PixelFormat format) {
  const int32_t due = stream->next_line();
  const size_t bytes = stream->line_bytes(format);
  Require(FeedFromExactMemory(stream, due + 1, bytes, format) != LineStatus::kOk, "a later line");
  Require(FeedFromExactMemory(stream, AnyInt32() | 1 << 30, bytes, format) != LineStatus::kOk,
          "any line");
  Require(FeedFromExactMemory(stream, due, bytes + 1, format) != LineStatus::kOk, "a long line");
  Require(FeedFromExactMemory(stream, due, bytes - 1, format) != LineStatus::kOk, "a short line");
  Require(stream->Feed(due, nullptr, bytes, format) != LineStatus::kOk, "no line");
  const PixelFormat unknown = static_cast<PixelFormat>(5 + Random(250));
  Require(FeedFromExactMemory(stream, due, bytes, unknown) != LineStatus::kOk, "unknown format");
  Require(stream->next_line() == due, "refused lines change nothing");
}

// Returns whether a picture went through.
bool RunStream(const Bytes& image) {
  const std::unique_ptr<uint8_t[]> data = Exactly(image);
  LineStream stream;
  Require(stream.Feed(0, data.get(), image.size(), PixelFormat::kInt8) == LineStatus::kNotOpen,
          "closed");
  const char* error = stream.Open(data.get(), image.size());
  if (error != nullptr) {
    Require(stream.height() == 0 && stream.map_bytes() == 0 && stream.workspace_bytes() == 0,
            "nothing is open");
    Require(stream.Begin(nullptr, 0, nullptr, 0) == LineStatus::kNotOpen, "closed again");
    return false;
  }
  const int64_t pixels = static_cast<int64_t>(stream.height()) * stream.width();
  if (stream.workspace_bytes() > kMostMemory || stream.map_bytes() > kMostMemory ||
      pixels > kMostPixels) {
    return false;
  }
  const std::unique_ptr<uint8_t[]> map = Allocate(stream.map_bytes());
  const std::unique_ptr<uint8_t[]> workspace = Allocate(stream.workspace_bytes());
  int8_t* const output = reinterpret_cast<int8_t*>(map.get());
  const size_t bytes = stream.workspace_bytes();
  Require(stream.Begin(output, stream.map_bytes() - 1, workspace.get(), bytes) ==
              LineStatus::kMapTooSmall,
          "small map");
  Require(stream.Begin(output, stream.map_bytes(), workspace.get(), bytes - 1) ==
              LineStatus::kWorkspaceTooSmall,
          "small workspace");
  Require(stream.Begin(output, stream.map_bytes(), workspace.get() + 1, bytes) ==
              LineStatus::kMisaligned,
          "misaligned workspace");
  FeedWrongLines(&stream, PixelFormat::kInt8);
  Require(stream.Begin(output, stream.map_bytes(), workspace.get(), bytes) == LineStatus::kOk,
          "begun");

  PixelFormat format;
  do {
    format = static_cast<PixelFormat>(Random(5));
  } while (stream.line_bytes(format) == 0);
  for (int32_t y = 0; y < stream.height(); ++y) {
    if (Random(4) == 0) FeedWrongLines(&stream, format);
    Require(!stream.finished(), "not finished too early");
    Require(FeedFromExactMemory(&stream, y, stream.line_bytes(format), format) == LineStatus::kOk,
            "the line that is due");
  }
  Require(stream.finished(), "finished");
  Require(FeedFromExactMemory(&stream, stream.height(), stream.line_bytes(format), format) ==
              LineStatus::kSurplus,
          "surplus");
  return true;
}

// A front that is fed by lines equals one that is computed from a resident picture.
void CheckStem(const Bytes& image) {
  const std::unique_ptr<uint8_t[]> data = Exactly(image);
  FrontImage parsed;
  Require(ParseFront(data.get(), image.size(), &parsed) == nullptr, "good images are understood");
  const ConvPoolSpec& spec = parsed.front.pool;
  std::vector<uint8_t> outputs[2];
  const size_t row = static_cast<size_t>(spec.width) * spec.channels;
  const std::unique_ptr<uint8_t[]> picture = Allocate(row * spec.height);
  for (int copied = 0; copied < 2; ++copied) {
    ConvPoolPlan plan;
    ConvPoolLayer layer;
    const InputRows rows = copied ? InputRows::kCopied : InputRows::kResident;
    Require(PlanConvPool(spec, rows, &plan) == nullptr, "good images can run");
    const std::unique_ptr<uint8_t[]> persistent = Allocate(plan.persistent_bytes);
    const std::unique_ptr<uint8_t[]> scratch = Allocate(plan.scratch.bytes);
    BuildConvPool(spec, plan, persistent.get(), &layer);
    const SweepShape& shape = layer.pool.shape;
    const size_t out_row = static_cast<size_t>(shape.output_row());
    const size_t out_bytes = out_row * static_cast<size_t>(shape.grid.out_height);
    const int8_t* pixels = reinterpret_cast<const int8_t*>(picture.get());
    if (!copied) {
      const std::unique_ptr<uint8_t[]> output = Allocate(out_bytes);
      RunConvPool(layer, 1, pixels, reinterpret_cast<int8_t*>(output.get()), scratch.get());
      outputs[0].assign(output.get(), output.get() + out_bytes);
      continue;
    }
    ConvPoolSweep sweep(layer);
    sweep.Begin(nullptr, scratch.get());
    std::vector<int8_t> last(out_row);
    for (int32_t y = 0; y < spec.height; ++y) {
      memcpy(sweep.NextRow(), pixels + y * row, row);
      sweep.Take();
      while (sweep.Next(last.data(), last.data())) {
        outputs[1].insert(outputs[1].end(), last.begin(), last.end());
      }
    }
  }
  Require(outputs[0] == outputs[1], "copied rows give what resident ones give");
}

Bytes Damaged(const Bytes& good) {
  Bytes bytes = good;
  // Most of an image is weights, so every other edit goes to the numbers at its start.
  const uint32_t size = static_cast<uint32_t>(bytes.size());
  for (uint32_t edits = 1 + Random(3); edits > 0; --edits) {
    const size_t at = Random(2) ? Random(size) : Random(size < 300 ? size : 300);
    const size_t word = at / 4 * 4;
    if (Random(2) && word + 4 <= bytes.size()) {
      const int32_t value = Random(2) ? AnyInt32() : static_cast<int32_t>(Random(40)) - 4;
      memcpy(&bytes[word], &value, 4);
    } else {
      bytes[at] = static_cast<uint8_t>(Random(2) ? Random(256) : bytes[at] ^ 1u << Random(8));
    }
  }
  return bytes;
}

Bytes ReadFile(const char* path) {
  FILE* file = fopen(path, "rb");
  Require(file != nullptr, path);
  Bytes bytes(1 << 20);
  bytes.resize(fread(bytes.data(), 1, bytes.size(), file));
  fclose(file);
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  Require(argc >= 3, "usage: front_sanitized <seed> <front image>...");
  sanitized::Seed(argv[1]);
  int damaged = 0, ran = 0;
  for (int i = 2; i < argc; ++i) {
    const Bytes good = ReadFile(argv[i]);
    Require(RunStream(good), "good images run");
    CheckStem(good);
    for (size_t size = 0; size < good.size(); size += 1 + Random(9)) {
      Require(!RunStream(Bytes(good.begin(), good.begin() + size)), "truncated images are refused");
    }
    for (int round = 0; round < 400; ++round, ++damaged) ran += RunStream(Damaged(good));
  }
  printf("images %d, damaged %d, of which ran %d\n", argc - 2, damaged, ran);
  Require(ran > damaged / 20 && ran < damaged, "some damage is fatal, some is not");
  return 0;
}
