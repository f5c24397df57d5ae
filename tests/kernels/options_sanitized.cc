// Fuzzes the options of every operator under AddressSanitizer and UndefinedBehaviorSanitizer.
//
//   options_sanitized <seed> <operator> <options file>...     Exits 0 when all was well.

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <memory>
#include <string>
#include <vector>

#include "rnnpool/conv_pool_options.h"
#include "rnnpool/inverted_residual_options.h"
#include "rnnpool/options.h"
#include "sanitized.h"

namespace {

using namespace rnnpool;

using sanitized::Random;
using sanitized::Require;

// Nullptr when the bytes were accepted.
typedef const char* (*Parser)(const uint8_t* data, size_t size, char (&error)[kOptionsErrorSize]);

const char* ParsePool(const uint8_t* data, size_t size, char (&error)[kOptionsErrorSize]) {
  RnnPoolOptions options;
  const char* sentence = ParseOptions(data, size, &options, error);
  if (sentence != nullptr) return sentence;
  Require(options.version >= 1 && options.version <= 2 &&
              options.gates <= GatesKind::kPiecewiseLinear && options.geometry.pool_height >= 1 &&
              options.geometry.pool_width >= 1 && options.geometry.stride_height >= 1 &&
              options.geometry.stride_width >= 1,
          "accepted options are in range");
  return nullptr;
}

const char* ParseBlock(const uint8_t* data, size_t size, char (&error)[kOptionsErrorSize]) {
  InvertedResidualOptions options;
  const char* sentence = ParseInvertedResidualOptions(data, size, Random(2) == 0, &options, error);
  if (sentence != nullptr) return sentence;
  Require(options.stride_height >= 1 && options.stride_width >= 1 && options.pad_top >= 0 &&
              options.pad_top < kLargestFilter && options.pad_left >= 0 &&
              options.pad_left < kLargestFilter,
          "accepted options are in range");
  return nullptr;
}

const char* ParseConvPool(const uint8_t* data, size_t size, char (&error)[kOptionsErrorSize]) {
  ConvPoolSpec spec;
  int32_t version;
  const char* sentence = ParseConvPoolOptions(data, size, &spec, &version, error);
  if (sentence != nullptr) return sentence;
  Require(spec.count >= 1 && spec.count <= kMaxConvolutions && spec.pool_scale == spec.pool_scale,
          "accepted options are in range");
  for (int32_t i = 0; i < spec.count; ++i) {
    const ConvolutionSpec& convolution = spec.convolutions[i];
    Require(convolution.stride_height >= 1 && convolution.pad_left >= 0 &&
                convolution.out_width >= 1 && convolution.range.zero_point >= -128 &&
                convolution.range.max <= 127,
            "accepted convolutions are in range");
  }
  return nullptr;
}

bool Parse(Parser parser, const std::vector<uint8_t>& bytes) {
  std::unique_ptr<uint8_t[]> exact(new uint8_t[bytes.size()]);
  if (!bytes.empty()) memcpy(exact.get(), bytes.data(), bytes.size());
  char error[kOptionsErrorSize];
  const char* sentence = parser(exact.get(), bytes.size(), error);
  if (sentence == nullptr) return true;
  Require(strlen(sentence) < kOptionsErrorSize - 1, "no sentence is cut off");
  return false;
}

void Fuzz(Parser parser, const std::vector<uint8_t>& good, int rounds) {
  Require(Parse(parser, good), "good options are accepted");
  for (size_t size = 0; size < good.size(); ++size) {
    Parse(parser, std::vector<uint8_t>(good.begin(), good.begin() + size));
    Parse(parser, std::vector<uint8_t>(good.begin() + size, good.end()));
  }
  for (size_t i = 0; i < good.size(); ++i) {
    for (int value = 0; value < 256; ++value) {
      std::vector<uint8_t> bytes = good;
      bytes[i] = static_cast<uint8_t>(value);
      Parse(parser, bytes);
    }
  }
  for (int round = 0; round < rounds; ++round) {
    std::vector<uint8_t> bytes = good;
    for (uint32_t edits = 1 + Random(6); edits > 0; --edits) {
      const size_t at = Random(static_cast<uint32_t>(bytes.size()));
      switch (Random(4)) {
        case 0:
          bytes[at] = static_cast<uint8_t>(Random(256));
          break;
        case 1:
          bytes[at] ^= static_cast<uint8_t>(1u << Random(8));
          break;
        case 2:
          bytes.insert(bytes.begin() + at, static_cast<uint8_t>(Random(256)));
          break;
        default:
          if (bytes.size() > 1) bytes.erase(bytes.begin() + at);
      }
    }
    Parse(parser, bytes);
  }
}

std::vector<uint8_t> ReadFile(const char* path) {
  FILE* file = fopen(path, "rb");
  Require(file != nullptr, path);
  std::vector<uint8_t> bytes(1 << 16);
  bytes.resize(fread(bytes.data(), 1, bytes.size(), file));
  fclose(file);
  return bytes;
}

Parser ParserOf(const std::string& name) {
  if (name == kRnnPoolName) return ParsePool;
  if (name == kInvertedResidualName) return ParseBlock;
  Require(name == kConvPoolName, "the operator is known");
  return ParseConvPool;
}

}  // namespace

int main(int argc, char** argv) {
  Require(argc >= 4, "usage: options_sanitized <seed> <operator> <options file>...");
  sanitized::Seed(argv[1]);
  for (int i = 3; i < argc; ++i) Fuzz(ParserOf(argv[2]), ReadFile(argv[i]), 20000);
  return 0;
}
