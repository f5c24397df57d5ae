// The widened cell with the routines of dsp_routines.h.

#include "rnnpool/int8_path.h"

#if RNNPOOL_USE_DSP

#include <string.h>

#include "rnnpool/cell_loops.h"
#include "rnnpool/dsp_routines.h"
#include "rnnpool/int8_widened.h"
#include "rnnpool/tables.h"

namespace rnnpool {
namespace {

const int32_t* const kSigmoidMiddle = kMinusSigmoidQ17 + 1024;
const int16_t* const kTanhMiddle = kTanhQ15 + 2048;

int32_t UnitsOfWholeQuads(const WidenedLayout& layout) { return Blocks(layout.units) * kLanes; }

const DspSteps& Routines(GatesKind gates) { return kDspSteps[static_cast<int>(gates)]; }

// For all numbers of units that have no routine of their own.
class AnyStepper {
 public:
  AnyStepper(const WidenedLayout& layout, const int16_t* stream, const DspSteps& routines)
      : layout_(layout), stream_(stream), routines_(routines) {}

  int32_t units() const { return layout_.units; }

  void Start(const int32_t* product, int16_t* state) const {
    const int32_t quad = WidenedStreams::RecurrentQuad(layout_);
    const DspStart start = {kSigmoidMiddle, kTanhMiddle,
                            quad * static_cast<ptrdiff_t>(sizeof(int16_t)),
                            state + UnitsOfWholeQuads(layout_)};
    routines_.start(stream_ + quad - 2 * kLanes, product, state, &start);
  }

  void Step(const int32_t* product, int16_t* state, int32_t* workspace) const {
    const int32_t units = UnitsOfWholeQuads(layout_);
    int16_t* next = reinterpret_cast<int16_t*>(workspace);
    const DspStep step = {kSigmoidMiddle, kTanhMiddle, next, state + units};
    routines_.step(stream_, product, state, &step);
    memcpy(state, next, static_cast<size_t>(units) * sizeof(int16_t));
  }

 private:
  const WidenedLayout& layout_;
  const int16_t* stream_;
  const DspSteps& routines_;
};

DspVectors VectorsOf(const WidenedLayout& layout) {
  const int32_t blocks = Blocks(layout.inputs);
  if (!layout.pixels) return blocks == 2 ? kDspStates8 : kDspStates;
  return blocks == 1 ? kDspPixels4 : blocks == 2 ? kDspPixels8 : kDspPixels;
}

typedef void (*SaturateRoutine)();

SaturateRoutine SaturateBy(int32_t shift) {
  return reinterpret_cast<SaturateRoutine>(reinterpret_cast<uintptr_t>(rnnpool_dsp_saturate) +
                                           static_cast<uintptr_t>(shift * kDspSaturateBytes));
}

// `pitch` in bytes.
void ProjectVectors(const WidenedLayout& layout, const int16_t* data, int32_t shift, bool saturates,
                    const void* vectors, int32_t pitch, int32_t count, int32_t* products) {
  if (count == 0) return;
  const int32_t second = layout.inputs - (Blocks(layout.inputs) - 1) * kLanes;
  const int32_t overrun = UnitsOfWholeQuads(layout) - layout.units;
  const DspProjection projection = {nullptr,
                                    SaturateBy(shift),
                                    shift,
                                    data + WidenedStreams::Recurrent(layout),
                                    vectors,
                                    static_cast<const uint8_t*>(vectors) + count * pitch,
                                    pitch,
                                    second,
                                    overrun * static_cast<int32_t>(sizeof(int32_t))};
  const DspProject project = kDspProjections[VectorsOf(layout)][saturates];
  if (overrun == 0) {
    project(data, products, &projection);
    return;
  }
  // The last product's surplus falls on whatever follows it: less than a quad, which is there
  // because the scratch memory's workspace, a quad or more, stands behind all products.
  int32_t* end = products + count * layout.units;
  int32_t behind[kLanes];
  memcpy(behind, end, static_cast<size_t>(overrun) * sizeof(int32_t));
  project(data, products, &projection);
  memcpy(end, behind, static_cast<size_t>(overrun) * sizeof(int32_t));
}

}  // namespace

void Int8WidenedCell::Project(const int8_t* pixels, int32_t pitch, int32_t count,
                              int32_t* products) const {
  const int32_t inputs = layout_.inputs;
  int32_t direct = count;
  if (inputs < kLanes && count > 0) --direct;
  ProjectVectors(layout_, data_, shift_, saturates_, pixels, pitch, direct, products);
  if (direct == count) return;
  // Memory may end with the last pixel, which is less than a word.
  int8_t last[kLanes] = {0, 0, 0, 0};
  memcpy(last, pixels + direct * pitch, static_cast<size_t>(inputs));
  ProjectVectors(layout_, data_, shift_, saturates_, last, pitch, 1,
                 products + direct * layout_.units);
}

void Int8WidenedCell::Project(const int16_t* states, int32_t pitch, int32_t count,
                              int32_t* products) const {
  ProjectVectors(layout_, data_, shift_, saturates_, states,
                 pitch * static_cast<int32_t>(sizeof(int16_t)), count, products);
}

void Int8WidenedCell::Sequences(const int32_t* products, const SequenceBatch& batch,
                                int16_t* states, int32_t* workspace) const {
  if (batch.steps == 0 || batch.count == 0) return;
  const int16_t* stream = data_ + WidenedStreams::Recurrent(layout_);
  const int32_t units = layout_.units;
  if (units != 8 && units != 16) {
    WalkSequences(AnyStepper(layout_, stream, Routines(gates_)), products, batch, states,
                  workspace);
    return;
  }
  const ptrdiff_t element = sizeof(int32_t);
  const DspWalk walk = {kSigmoidMiddle,
                        kTanhMiddle,
                        (batch.stride - units) * element,
                        products + batch.steps * batch.stride,
                        batch.pitch * element,
                        (batch.pitch - batch.steps * batch.stride) * element,
                        states + batch.count * units,
                        batch.fresh};
  const DspSteps& routines = Routines(gates_);
  (units == 8 ? routines.walk8 : routines.walk16)(stream, products, states, &walk);
}

void Int8WidenedCell::Advance(const int32_t* products, int32_t count, bool fresh, int16_t* states,
                              int32_t* workspace) const {
  const int16_t* stream = data_ + WidenedStreams::Recurrent(layout_);
  if (layout_.units != 8 && layout_.units != 16) {
    AdvanceCells(AnyStepper(layout_, stream, Routines(gates_)), products, count, fresh, states,
                 workspace);
    return;
  }
  if (count == 0) return;
  const DspAdvance advance = {kSigmoidMiddle, kTanhMiddle, states + count * layout_.units, fresh};
  const DspSteps& routines = Routines(gates_);
  (layout_.units == 8 ? routines.advance8 : routines.advance16)(stream, products, states, &advance);
}

}  // namespace rnnpool

#endif  // RNNPOOL_USE_DSP
