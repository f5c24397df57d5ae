// Vector table and start of the program, for any Cortex-M4 with the memory map of link.ld.

#include <stdint.h>
#include <string.h>

#include "sampler.h"
#include "semihosting.h"

int main();

extern "C" {
extern uint32_t __stack_top[];
extern uint8_t __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[];
extern void (*__init_array_start[])();
extern void (*__init_array_end[])();

// Static objects live until the power goes.
void* __dso_handle = nullptr;
int __aeabi_atexit(void*, void (*)(void*), void*) { return 0; }

void StartProgram() {
  memcpy(__data_start, __data_load, static_cast<size_t>(__data_end - __data_start));
  memset(__bss_start, 0, static_cast<size_t>(__bss_end - __bss_start));
  for (void (**constructor)() = __init_array_start; constructor != __init_array_end;
       ++constructor) {
    (*constructor)();
  }
  cortex_m::Exit(main());
}

// Allows access to the FPU (CPACR, full access to CP10 and CP11) before compiled code may use it.
__attribute__((naked)) void Reset() {
  __asm volatile(
      "ldr r0, =0xE000ED88\n"
      "ldr r1, [r0]\n"
      "orr r1, r1, #(0xF << 20)\n"
      "str r1, [r0]\n"
      "dsb\n"
      "isb\n"
      "b StartProgram\n");
}

void Fault() {
  cortex_m::Print("fault\n");
  cortex_m::Exit(3);
}
}

namespace {

typedef void (*Handler)();

struct VectorTable {
  uint32_t* stack;
  Handler reset;
  Handler exceptions[14];
  Handler interrupts[32];
};

}  // namespace

__attribute__((section(".vectors"), used)) const VectorTable kVectors = {
    __stack_top,
    Reset,
    {Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault,
     Fault},
    {Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault, cortex_m::SamplerInterrupt,
     Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault,
     Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault,
     Fault, Fault},
};
