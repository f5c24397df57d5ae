// What requantisation takes besides assembly on Cortex-M processors with the DSP extension.

#include "rnnpool/int8_path.h"

#if RNNPOOL_USE_DSP

#include "rnnpool/dsp_convolutions.h"
#include "rnnpool/dsp_instructions.h"

namespace rnnpool {
namespace {

uint32_t FourTimes(int32_t byte) { return (static_cast<uint32_t>(byte) & 0xFF) * 0x01010101; }

}  // namespace

void ClampBytes(int32_t smallest, int32_t largest, int32_t count, int8_t* values) {
  const uint32_t min = FourTimes(smallest);
  const uint32_t max = FourTimes(largest);
  int8_t* end = values + count;
  for (; end - values >= 4; values += 4) {
    StoreWord(SmallerBytes(LargerBytes(Word(values), min), max), values);
  }
  for (; values != end; ++values) {
    const uint32_t value = static_cast<uint32_t>(*values) & 0xFF;
    *values = static_cast<int8_t>(SmallerBytes(LargerBytes(value, min), max));
  }
}

}  // namespace rnnpool

#endif  // RNNPOOL_USE_DSP
