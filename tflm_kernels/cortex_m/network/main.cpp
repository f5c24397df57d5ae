// Runs a model in TFLite Micro's interpreter, twice: once to count the instructions of the whole,
// once to count those of its operators. Prints
//
//   log <message>                        of TFLite Micro
//   prepare instructions=… stack=…       constructing the interpreter and AllocateTensors
//   arena used=… ram=… in_ram=<0 or 1>   bytes; the RAM that there is for an arena
//   invoke instructions=… stack=…
//   output <index> bytes=… different=… first=… largest=…
//   operator <instructions> <name>
//   done
//
// or "failed <sentence>". Python reads this (rnnpool_tf.bench.m4.network).

#include <stdint.h>
#include <string.h>

#include <new>

#include "measure.h"
#include "network/network.h"
#include "network/operator_profiler.h"
#include "semihosting.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/schema/schema_generated.h"

extern "C" uint8_t __arena_start[], __arena_end[];

namespace cortex_m {
namespace {

using Interpreter = tflite::MicroInterpreter;

// Of the emulator only: shows what a model needs that does not fit into RAM.
const size_t kLargeArena = 12 * 1024 * 1024;
__attribute__((section(".psram"), aligned(16))) uint8_t large_arena[kLargeArena];
alignas(Interpreter) uint8_t storage[sizeof(Interpreter)];

size_t RamBytes() { return static_cast<size_t>(__arena_end - __arena_start); }

void PrintField(const char* name, int64_t value) {
  Print(name);
  PrintNumber(value);
}

int Fail(const char* sentence) {
  Print("failed ");
  Print(sentence);
  Print("\n");
  return 1;
}

// An interpreter that is ready to run, or null. There is one at a time, and none is destroyed: its
// arena is all that it holds.
Interpreter* Prepare(const tflite::MicroOpResolver& resolver, uint8_t* arena, size_t size,
                     OperatorProfiler* profiler) {
  Interpreter* interpreter = nullptr;
  TfLiteStatus status = kTfLiteError;
  const auto prepare = [&] {
    interpreter = new (storage)
        Interpreter(tflite::GetModel(kModel), resolver, arena, size, nullptr, profiler);
    status = interpreter->AllocateTensors();
  };
  uint32_t instructions, stack;
  Measure(prepare, &instructions, &stack);
  if (status != kTfLiteOk) return nullptr;
  PrintField("prepare instructions=", instructions);
  PrintField(" stack=", stack);
  Print("\n");
  return interpreter;
}

// First in memory that is always enough, to know what is needed: TFLite Micro may abort in an arena
// that is too small by far.
Interpreter* PrepareWhereItFits(const tflite::MicroOpResolver& resolver,
                                OperatorProfiler* profiler) {
  Interpreter* interpreter = Prepare(resolver, large_arena, kLargeArena, profiler);
  if (interpreter == nullptr) return nullptr;
  const size_t used = interpreter->arena_used_bytes();
  bool in_ram = false;
  if (used <= RamBytes()) {
    // Preparation borrows memory beyond what stays in use.
    Interpreter* small = Prepare(resolver, __arena_start, RamBytes(), profiler);
    in_ram = small != nullptr;
    interpreter = in_ram ? small : Prepare(resolver, large_arena, kLargeArena, profiler);
  }
  PrintField("arena used=", used);
  PrintField(" ram=", RamBytes());
  PrintField(" in_ram=", in_ram);
  Print("\n");
  return interpreter;
}

// Bytes; of int8 their values, which is what `largest` is of.
void Compare(size_t index, const TfLiteTensor& tensor) {
  const Bytes& expected = kOutputs[index];
  int64_t different = 0, first = -1, largest = 0;
  for (size_t i = 0; i < expected.size; ++i) {
    const uint8_t byte = tensor.data.uint8[i];
    if (byte == expected.data[i]) continue;
    if (different++ == 0) first = static_cast<int64_t>(i);
    const int distance = tensor.type == kTfLiteInt8
                             ? static_cast<int8_t>(byte) - static_cast<int8_t>(expected.data[i])
                             : byte - expected.data[i];
    const int64_t size = distance < 0 ? -distance : distance;
    if (size > largest) largest = size;
  }
  PrintField("output ", index);
  PrintField(" bytes=", expected.size);
  PrintField(" different=", different);
  PrintField(" first=", first);
  PrintField(" largest=", largest);
  Print("\n");
}

int RunNetwork() {
  const tflite::MicroOpResolver* resolver = MakeResolver();
  if (resolver == nullptr) return Fail("TFLite Micro refuses an operator.");
  OperatorProfiler profiler;
  Interpreter* interpreter = PrepareWhereItFits(*resolver, &profiler);
  if (interpreter == nullptr) return Fail("AllocateTensors failed.");
  if (interpreter->inputs_size() != 1 || interpreter->input(0)->bytes != kInput.size) {
    return Fail("The input has another size.");
  }
  if (interpreter->outputs_size() != kOutputCount) return Fail("There are other outputs.");

  TfLiteStatus status = kTfLiteError;
  // The planner may have given the input's memory to others meanwhile.
  memcpy(interpreter->input(0)->data.raw, kInput.data, kInput.size);
  uint32_t instructions, stack;
  const auto invoke = [&] { status = interpreter->Invoke(); };
  Measure(invoke, &instructions, &stack);
  if (status != kTfLiteOk) return Fail("Invoke failed.");
  PrintField("invoke instructions=", instructions);
  PrintField(" stack=", stack);
  Print("\n");
  for (size_t i = 0; i < kOutputCount; ++i) {
    if (interpreter->output(i)->bytes != kOutputs[i].size) return Fail("An output's size differs.");
    Compare(i, *interpreter->output(i));
  }

  memcpy(interpreter->input(0)->data.raw, kInput.data, kInput.size);
  InstructionCounter counter;
  profiler.Use(&counter);
  if (interpreter->Invoke() != kTfLiteOk) return Fail("The second Invoke failed.");
  Print("done\n");
  return 0;
}

}  // namespace
}  // namespace cortex_m

int main() { return cortex_m::RunNetwork(); }
