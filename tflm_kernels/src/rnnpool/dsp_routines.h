// The assembly routines of dsp_steps.cpp and dsp_projections.cpp. Assembly in .cpp files rather than
// .S files: every build system passes the processor's flags to them. Streams and vectors are aligned
// to 4 bytes, pixels need no alignment; quad = 4 units, the last one filled up with units whose
// weights are 0.

#ifndef RNNPOOL_DSP_ROUTINES_H_
#define RNNPOOL_DSP_ROUTINES_H_

#include <stddef.h>
#include <stdint.h>

namespace rnnpool {

// The layouts of these structures are known to the assembly. Routines for piecewise linear gates do
// not read the tables.

struct DspWalk {
  const int32_t* minus_sigmoid;  // middle of kMinusSigmoidQ17
  const int16_t* tanh;           // middle of kTanhQ15
  // In bytes:
  ptrdiff_t stride;  // from the end of a product to the next step's
  const void* end;   // one step behind the last product of the first sequence
  ptrdiff_t pitch;   // from one sequence to the next
  ptrdiff_t rewind;  // from one step behind a sequence to the next sequence
  const void* states_end;
  int32_t fresh;  // begin with h = 0
};

struct DspAdvance {
  const int32_t* minus_sigmoid;
  const int16_t* tanh;
  const void* states_end;
  int32_t fresh;
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
  const void* unused;  // the routine's own
  void (
      *saturate)();  // the piece of rnnpool_dsp_saturate for the shift; ..._saturate routines only
  int32_t shift;
  const void* stream_end;
  const void* vectors;  // one after the other
  const void* vectors_end;
  ptrdiff_t pitch;    // bytes of a vector
  ptrdiff_t second;   // pixels of more than 4 inputs: offset of the second block of 4
  ptrdiff_t overrun;  // bytes by which whole quads exceed a product
};

// The routines for one kind of gates.
struct DspSteps {
  // `stream` is the recurrent stream of a cell of 8 or 16 units. A walk takes the steps of a batch
  // of sequences; an advance takes one step of several cells side by side. At least one step and
  // cell.
  typedef void Walk(const void* stream, const int32_t* products, int16_t* states,
                    const DspWalk* walk);
  typedef void Advance(const void* stream, const int32_t* products, int16_t* states,
                       const DspAdvance* advance);
  Walk* walk8;
  Walk* walk16;
  Advance* advance8;
  Advance* advance16;

  // One step of one cell with any number of units, whose products are read as whole quads. `start`
  // is the step from h = 0; `differences` are those of the stream's first quad.
  typedef void Step(const void* stream, const int32_t* products, const int16_t* state,
                    const DspStep* step);
  typedef void Start(const void* differences, const int32_t* products, int16_t* state,
                     const DspStart* start);
  Step* step;
  Start* start;
};

// By GatesKind. Also what makes linkers take dsp_steps.cpp from an archive when they optimise the
// whole program: they see none of the symbols that assembly defines.
extern const DspSteps kDspSteps[2];

}  // namespace rnnpool

extern "C" {

// Not a function to be called: one piece of kDspSaturateBytes for each shift 0..26.
void rnnpool_dsp_saturate();
}

namespace rnnpool {

// Products of vectors, whole quads at a time; `stream` is the kernel stream. Pixels of less than 4
// inputs are read up to 3 bytes beyond their end, products written up to 3 elements beyond theirs.
typedef void (*DspProject)(const void* stream, int32_t* products, const DspProjection* projection);

enum DspVectors {
  kDspPixels4,  // with at most 4 inputs
  kDspPixels8,  // with 5 to 8
  kDspPixels,   // with more
  kDspStates8,  // of 5 to 8 units
  kDspStates,   // of any number
  kDspVectorKinds
};

// [1]: some product may saturate, [0]: none can.
extern const DspProject kDspProjections[kDspVectorKinds][2];

const int32_t kDspSaturateBytes = 36;

}  // namespace rnnpool

#endif  // RNNPOOL_DSP_ROUTINES_H_
