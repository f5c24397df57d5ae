#include "rnnpool/fixed_point.h"
#include "rnnpool/rnnpool_core.h"

namespace rnnpool {

void Int8Layer::Emit(const int16_t* state, int32_t count, int8_t* output) {
  for (int32_t i = 0; i < count; ++i) {
    output[i] = static_cast<int8_t>(SaturateBits((state[i] + 128) >> 8, 8));
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
  const char* error = PlanShape(sizeof(int16_t), &shape, &plan->scratch);
  if (error != nullptr) return error;

  const Int8CellInput pixels = PixelInput(spec.input_scale, spec.input_zero_point);
  error = PlanInt8Cell(spec.cell1, pixels, &plan->cell1);
  if (error != nullptr) return error;
  error = PlanInt8Cell(spec.cell2, StateInput(), &plan->cell2);
  if (error != nullptr) return error;
  plan->persistent_bytes = plan->cell1.persistent_bytes + plan->cell2.persistent_bytes;
  return nullptr;
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
