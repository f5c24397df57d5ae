// What TFLite Micro takes from the platform it runs on: its log, a line "log <text>" for each
// message, and the end of the program. In place of its own, which need a heap and system calls.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "semihosting.h"
#include "tensorflow/lite/micro/micro_log.h"

namespace {

// One conversion of a format, the letter at `letter`. Integers and pointers have 32 bits here
// whatever their length modifier, but for "ll".
void PrintConversion(char letter, bool wide, va_list* arguments) {
  using namespace cortex_m;
  if (letter == 's') {
    Print(va_arg(*arguments, const char*));
  } else if (letter == 'c') {
    const char text[2] = {static_cast<char>(va_arg(*arguments, int)), '\0'};
    Print(text);
  } else if (letter == 'd' || letter == 'i') {
    PrintNumber(wide ? va_arg(*arguments, long long) : va_arg(*arguments, int));
  } else if (letter == 'u') {
    PrintNumber(static_cast<int64_t>(wide ? va_arg(*arguments, unsigned long long)
                                          : va_arg(*arguments, unsigned int)));
  } else if (letter == 'x' || letter == 'p') {
    PrintHex(va_arg(*arguments, unsigned int));
  } else if (letter == 'f' || letter == 'g' || letter == 'e') {
    // To the thousandth: enough for a message.
    const double value = va_arg(*arguments, double);
    const int64_t thousandths = static_cast<int64_t>(value * 1000);
    PrintNumber(thousandths);
    Print("e-3");
  } else {
    const char text[2] = {letter, '\0'};
    Print(text);
  }
}

}  // namespace

void VMicroPrintf(const char* format, va_list arguments) {
  va_list rest;
  va_copy(rest, arguments);
  cortex_m::Print("log ");
  for (const char* letter = format; *letter != '\0'; ++letter) {
    if (*letter != '%') {
      // A message is one line.
      const char text[2] = {*letter == '\n' ? ' ' : *letter, '\0'};
      cortex_m::Print(text);
      continue;
    }
    int longs = 0;
    // Flags, widths and lengths, of which only "ll" matters.
    for (++letter; *letter != '\0' && __builtin_strchr("-+ #.0123456789lhzjt", *letter); ++letter) {
      longs += *letter == 'l' ? 1 : 0;
    }
    if (*letter == '\0') break;
    PrintConversion(*letter, longs > 1, &rest);
  }
  va_end(rest);
  cortex_m::Print("\n");
}

void MicroPrintf(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  VMicroPrintf(format, arguments);
  va_end(arguments);
}

// Tables of virtual functions name them; nothing is ever deleted here.
void operator delete(void*) noexcept {}
void operator delete(void*, size_t) noexcept {}

extern "C" {

// newlib's assert(), which would print through its own files.
__attribute__((noreturn)) void __assert_func(const char* file, int line, const char*,
                                             const char* condition) {
  MicroPrintf("%s:%d: assertion failed: %s", file, line, condition);
  cortex_m::Exit(6);
}

// TFLite Micro's own assertions end here.
__attribute__((noreturn)) void abort() {
  cortex_m::Print("log TFLite Micro aborted\n");
  cortex_m::Exit(6);
}

void __cxa_pure_virtual() { abort(); }
}
