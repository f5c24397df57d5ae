// The FastGRNN cell in int8 (weights) and int16 (states), in one of two forms. Which one is a rule
// of the numeric contract, not a choice: both forms are exact, but not equal to each other.
//
// widened: at most 2048 weights, and Int8WidenedCell::Prove succeeds;
// compact: otherwise, where Int8CompactCell::Prove may still refuse.
//
// Packed matrices are for cells of more than 2048 weights, which are compact whatever the weights
// are. They change no result.

#ifndef RNNPOOL_INT8_CELL_H_
#define RNNPOOL_INT8_CELL_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/cell_loops.h"
#include "rnnpool/int8_compact.h"
#include "rnnpool/int8_weights.h"
#include "rnnpool/int8_widened.h"

namespace rnnpool {

enum class Int8Form : uint8_t { kWidened = 0, kCompact = 1 };

struct Int8CellPlan {
  Int8Form form;
  int32_t shift;            // widened: n of int8_widened.h
  size_t persistent_bytes;  // a multiple of 4
  int32_t workspace_words;  // that Project needs
};

// Checks the weights and chooses the form. Returns nullptr or a sentence.
const char* PlanInt8Cell(const Int8CellWeights& weights, const Int8CellInput& input,
                         Int8CellPlan* plan);

class Int8Cell {
 public:
  // Prepares the cell in plan.persistent_bytes at `persistent` (aligned to 4 bytes). That memory
  // and the model's weights must outlive the cell.
  void Build(const Int8CellWeights& weights, const Int8CellInput& input, const Int8CellPlan& plan,
             void* persistent);

  int32_t units() const {
    return form_ == Int8Form::kWidened ? widened_.units() : compact_.units();
  }

  // products[i][r] = saturated Q26 of W v_i + bias_gate, for `count` vectors: pixels
  // [count][inputs] or states [count][StatePitch(inputs)], whichever the cell was built for;
  // `pitch` is that length. While this runs, up to 3 elements behind the products may hold
  // something else. The workspace has plan.workspace_words.
  void Project(const int8_t* pixels, int32_t pitch, int32_t count, int32_t* products,
               int32_t* workspace) const;
  void Project(const int16_t* states, int32_t pitch, int32_t count, int32_t* products,
               int32_t* workspace) const;

  // The products of `count` vectors of real value 0.
  void ProjectZeros(int32_t count, int32_t* products) const;

  // See cell_loops.h.
  void Sequences(const int32_t* products, const SequenceBatch& batch, int16_t* states,
                 int32_t* workspace) const;
  void Advance(const int32_t* products, int32_t count, bool fresh, int16_t* states,
               int32_t* workspace) const;

 private:
  Int8Form form_;
  union {
    Int8WidenedCell widened_;
    Int8CompactCell compact_;
  };
};

}  // namespace rnnpool

#endif  // RNNPOOL_INT8_CELL_H_
