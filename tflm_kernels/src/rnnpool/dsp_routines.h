// The assembly routines of dsp_routines.cpp. Streams and vectors are aligned to 4 bytes, pixels need
// no alignment; quad = 4 units, the last one filled up with units whose weights are 0.

#ifndef RNNPOOL_DSP_ROUTINES_H_
#define RNNPOOL_DSP_ROUTINES_H_

#include <stddef.h>
#include <stdint.h>

namespace rnnpool {

// The layouts of these structures are known to the assembly.

struct DspWalk {
  const int32_t* minus_sigmoid;  // middle of kMinusSigmoidQ17
  const int16_t* tanh;           // middle of kTanhQ15
  ptrdiff_t stride;              // bytes from the end of one product to the next; walks only
  const void* end;               // walks: one stride behind the last product; advances: of states
  int32_t fresh;                 // begin with h = 0
};

struct DspStep {
  const int32_t* minus_sigmoid;
  const int16_t* tanh;
  int16_t* next;             // receives the new states, all quads
  const int16_t* state_end;  // of all quads
};

struct DspStart {
  const int32_t* minus_sigmoid;
  const int16_t* tanh;
  ptrdiff_t quad_bytes;  // in the stream
  const int16_t* state_end;
};

struct DspProjection {
  const void* unused;   // the routine's own
  void (*scale)();      // rnnpool_dsp_scale, or its piece of rnnpool_dsp_saturate
  int32_t shift;        // of the scale
  const void* vectors;  // one after the other
  const void* vectors_end;
  ptrdiff_t pitch;  // bytes of a vector
  const void* stream_end;
  ptrdiff_t second;   // pixels of more than 4 inputs: offset of the second block of 4
  ptrdiff_t overrun;  // bytes by which whole quads exceed a product
};

}  // namespace rnnpool

extern "C" {

// `stream` is the recurrent stream of a cell of 8 or 16 units. A walk takes the steps of a sequence
// to its last state, in `state`; an advance takes one step of several cells side by side.
void rnnpool_dsp_walk8(const void* stream, const int32_t* products, int16_t* state,
                       const rnnpool::DspWalk* walk);
void rnnpool_dsp_walk16(const void* stream, const int32_t* products, int16_t* state,
                        const rnnpool::DspWalk* walk);
void rnnpool_dsp_advance8(const void* stream, const int32_t* products, int16_t* states,
                          const rnnpool::DspWalk* walk);
void rnnpool_dsp_advance16(const void* stream, const int32_t* products, int16_t* states,
                           const rnnpool::DspWalk* walk);

// One step of one cell with any number of units, whose products are read as whole quads.
// rnnpool_dsp_start is the step from h = 0; `differences` are those of the stream's first quad.
void rnnpool_dsp_step(const void* stream, const int32_t* products, const int16_t* state,
                      const rnnpool::DspStep* step);
void rnnpool_dsp_start(const void* differences, const int32_t* products, int16_t* state,
                       const rnnpool::DspStart* start);

// Products of pixels with at most 4, with 5 to 8 and with more inputs; of states with 5 to 8 and
// with any number of units. `stream` is the kernel stream. Pixels of less than 4 inputs are read up
// to 3 bytes beyond their end, products written up to 3 elements beyond theirs.
void rnnpool_dsp_project_pixels4(const void* stream, int32_t* products,
                                 const rnnpool::DspProjection* projection);
void rnnpool_dsp_project_pixels8(const void* stream, int32_t* products,
                                 const rnnpool::DspProjection* projection);
void rnnpool_dsp_project_pixels(const void* stream, int32_t* products,
                                const rnnpool::DspProjection* projection);
void rnnpool_dsp_project_states8(const void* stream, int32_t* products,
                                 const rnnpool::DspProjection* projection);
void rnnpool_dsp_project_states(const void* stream, int32_t* products,
                                const rnnpool::DspProjection* projection);

// Not functions to be called: r4-r7 <<= shift, without and with saturation to 31 bits; the latter
// is a sequence of pieces of kDspSaturateBytes, one for each shift.
void rnnpool_dsp_scale();
void rnnpool_dsp_saturate();
}

namespace rnnpool {

const int32_t kDspSaturateBytes = 36;

}  // namespace rnnpool

#endif  // RNNPOOL_DSP_ROUTINES_H_
