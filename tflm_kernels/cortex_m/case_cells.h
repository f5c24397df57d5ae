// The int8 cells of a case as the core takes them.

#ifndef RNNPOOL_CORTEX_M_CASE_CELLS_H_
#define RNNPOOL_CORTEX_M_CASE_CELLS_H_

#include "cases.h"
#include "rnnpool/int8_weights.h"

namespace cortex_m {

inline rnnpool::Int8CellWeights Weights(const CaseCell& cell, int32_t inputs) {
  const rnnpool::Int8Matrix kernel = {static_cast<const int8_t*>(cell.kernel), cell.kernel_scales,
                                      cell.kernel_scale_count, cell.packed_kernel};
  const rnnpool::Int8Matrix recurrent = {static_cast<const int8_t*>(cell.recurrent),
                                         cell.recurrent_scales, cell.recurrent_scale_count,
                                         cell.packed_recurrent};
  return {inputs,
          cell.units,
          kernel,
          recurrent,
          static_cast<const int32_t*>(cell.bias_gate),
          static_cast<const int32_t*>(cell.bias_update),
          cell.gates};
}

}  // namespace cortex_m

#endif  // RNNPOOL_CORTEX_M_CASE_CELLS_H_
