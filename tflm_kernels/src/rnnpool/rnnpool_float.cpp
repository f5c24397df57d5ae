#include "rnnpool/rnnpool_core.h"

namespace rnnpool {

void FloatLayer::Emit(const float* states, int32_t count, int32_t units, float* output) {
  const int32_t pitch = StatePitch(units);
  for (int32_t n = 0; n < count; ++n) {
    for (int32_t i = 0; i < units; ++i) output[i] = states[i];
    states += pitch;
    output += 4 * units;
  }
}

const char* PlanFloat(const FloatSpec& spec, FloatLayer* layer) {
  if (spec.cell1.inputs != spec.map.channels || spec.cell2.inputs != spec.cell1.units) {
    return "Cell 1 must take the map's channels, and cell 2 the units of cell 1.";
  }
  SweepShape& shape = layer->shape;
  shape.height = spec.map.height;
  shape.width = spec.map.width;
  shape.channels = spec.map.channels;
  shape.units1 = spec.cell1.units;
  shape.units2 = spec.cell2.units;
  shape.geometry = spec.map.geometry;
  layer->cell1 = spec.cell1;
  layer->cell2 = spec.cell2;
  return PlanShape(sizeof(float), 0, &shape, &layer->scratch);
}

void RunFloat(const FloatLayer& layer, int32_t batch, const float* input, float* output,
              void* scratch) {
  RunMaps(layer, batch, input, output, scratch);
}

}  // namespace rnnpool
