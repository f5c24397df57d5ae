#include "rnnpool/dsp_instructions.h"
#include "rnnpool/fixed_point.h"
#include "rnnpool/rnnpool_core.h"

namespace rnnpool {

namespace {

// output[i] = saturate8((state[i] + 128) >> 8)
void EmitState(const int16_t* state, int32_t units, int8_t* output) {
  int32_t i = 0;
#if RNNPOOL_USE_DSP
  // The upper byte of each state, after a sum that saturates a little above the largest output.
  const uint32_t half = 128 | 128 << 16;
  for (; i + 4 <= units; i += 4) {
    const uint32_t first = UpperBytes(AddPairs(Word(state + i), half));
    const uint32_t second = UpperBytes(AddPairs(Word(state + i + 2), half));
    StoreWord(LowHalves(first | first >> 8, second | second >> 8), output + i);
  }
#endif
  for (; i < units; ++i) {
    output[i] = static_cast<int8_t>(SaturateBits((state[i] + 128) >> 8, 8));
  }
}

}  // namespace

void Int8Layer::Emit(const int16_t* states, int32_t count, int32_t units, int8_t* output) {
  const int32_t pitch = StatePitch(units);
  for (int32_t n = 0; n < count; ++n) {
    EmitState(states, units, output);
    states += pitch;
    output += 4 * units;
  }
}

const char* PlanInt8(const Int8Spec& spec, Int8Plan* plan) {
  if (!(spec.input_scale > 0.0f && spec.input_scale < 256.0f)) {
    return "The input scale must be above 0 and below 256.";
  }
  if (spec.input_zero_point < -128 || spec.input_zero_point > 127) {
    return "The input zero point must be in -128..127.";
  }
  if (spec.cell1.inputs != spec.map.channels || spec.cell2.inputs != spec.cell1.units) {
    return "Cell 1 must take the map's channels, and cell 2 the units of cell 1.";
  }
  SweepShape& shape = plan->shape;
  shape.height = spec.map.height;
  shape.width = spec.map.width;
  shape.channels = spec.map.channels;
  shape.units1 = spec.cell1.units;
  shape.units2 = spec.cell2.units;
  shape.geometry = spec.map.geometry;
  const char* error = PlanShape(sizeof(int16_t), 0, &shape, &plan->scratch);
  if (error != nullptr) return error;

  const Int8CellInput pixels = PixelInput(spec.input_scale, spec.input_zero_point);
  error = PlanInt8Cell(spec.cell1, pixels, &plan->cell1);
  if (error != nullptr) return error;
  error = PlanInt8Cell(spec.cell2, StateInput(), &plan->cell2);
  if (error != nullptr) return error;
  plan->persistent_bytes = plan->cell1.persistent_bytes + plan->cell2.persistent_bytes;
  // Checked cells are known to need little of it.
  const int32_t words1 = plan->cell1.workspace_words;
  const int32_t words2 = plan->cell2.workspace_words;
  return PlanShape(sizeof(int16_t), words1 > words2 ? words1 : words2, &shape, &plan->scratch);
}

void BuildInt8(const Int8Spec& spec, const Int8Plan& plan, void* persistent, Int8Layer* layer) {
  layer->shape = plan.shape;
  layer->scratch = plan.scratch;
  const Int8CellInput pixels = PixelInput(spec.input_scale, spec.input_zero_point);
  layer->cell1.Build(spec.cell1, pixels, plan.cell1, persistent);
  layer->cell2.Build(spec.cell2, StateInput(), plan.cell2,
                     static_cast<uint8_t*>(persistent) + plan.cell1.persistent_bytes);
}

void RunInt8(const Int8Layer& layer, int32_t batch, const int8_t* input, int8_t* output,
             void* scratch) {
  RunMaps(layer, batch, input, output, scratch);
}

}  // namespace rnnpool
