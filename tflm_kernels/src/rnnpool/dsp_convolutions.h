// The assembly routines of dsp_convolutions.cpp: 1x1 and depthwise convolutions of int8 values with
// requantisation. The layouts of the structures are known to the assembly.
//
// Requantisation takes 6 instructions. With |acc| < 2^30, a multiplier in 0..2^31-1 and e = -shift
// in 1..31 it gives, to the last bit, what TFLite's reference does in two roundings:
//
//   a = SMMULR(2 acc, multiplier)     floor((acc multiplier + 2^30) / 2^31): the first rounding,
//                                     half up
//   b = (a + (a >> 31)) >> (e - 1)    a negative is one less, so that a half goes downwards
//   (b + 2 zero_point + 1) >> 1       floor((a + (a >> 31) + 2^(e-1)) / 2^e) + zero_point: the
//                                     second rounding, half away from zero
//
// and the last shift is part of SSAT, which clamps to int8. A multiplier of 0 may have any shift in
// -31..0: a register shift by 255 leaves 0. ClampBytes makes a narrower range of all int8 values.

#ifndef RNNPOOL_DSP_CONVOLUTIONS_H_
#define RNNPOOL_DSP_CONVOLUTIONS_H_

#include <stdint.h>

#include "rnnpool/requantize.h"

namespace rnnpool {

// Pixels are int16 in blocks of four inputs: even and odd inputs (0, 2), (1, 3) of the first pixel,
// then of the second one. The last block of an input count that is no multiple of 4 overlaps the
// one before: it holds the last four inputs, those that were counted already being 0.
struct DspPointwise {
  const int32_t* bias;
  const int32_t* multiplier;
  const int32_t* shift;
  const int8_t* weights;  // [outputs][inputs], at any address
  int32_t inputs;         // at least 4
  const uint32_t* pixels;
  const uint32_t* pixels_end;  // of the blocks that do not overlap
  int32_t overlap;             // inputs by which the last block overlaps, or 0
  int8_t* output;              // of the first pixel
  int8_t* second_output;       // of the second one
  const int8_t* output_end;    // of the first pixel; outputs are computed in twos
  int32_t twice_zero_point_plus_1;
};

struct DspDepthwise {
  const int32_t* bias;
  const int32_t* multiplier;
  const int32_t* shift;
  const int8_t* weights;  // [taps][channels], at any address; of the first channel to compute
  int32_t channels;       // distance between taps
  const int8_t* const* taps;
  const int8_t* const* taps_end;
  int32_t offset;  // of the first channel to compute, within what taps point to
  int8_t* output;
  const int8_t* output_end;  // channels are computed in fours
  int32_t twice_zero_point_plus_1;
};

typedef void DspPointwiseRoutine(const DspPointwise*);
typedef void DspDepthwiseRoutine(const DspDepthwise*);

// [0]: one pixel, [1]: two pixels.
extern DspPointwiseRoutine* const kDspPointwise[2];

// [0]: any number of taps from 1 on, [1]: 9 taps.
extern DspDepthwiseRoutine* const kDspDepthwise[2];

// Clamps `count` values at any address to min..max.
void ClampBytes(int32_t min, int32_t max, int32_t count, int8_t* values);

// The same for an output that the routines above have computed.
inline void ClampOutput(const OutputRange& range, int32_t count, int8_t* values) {
  if (range.min != -128 || range.max != 127) ClampBytes(range.min, range.max, count, values);
}

}  // namespace rnnpool

#endif  // RNNPOOL_DSP_CONVOLUTIONS_H_
