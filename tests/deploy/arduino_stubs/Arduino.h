// What the exported sketches use of Arduino's core, on the desktop: Serial is stdout.
#ifndef ARDUINO_STUB_H_
#define ARDUINO_STUB_H_

#include <stdint.h>
#include <stdio.h>

// Arduino's real header defines these, so they must not be used as identifiers.
#define HIGH 0x1
#define LOW 0x0
#define INPUT 0x0
#define OUTPUT 0x1
#define PI 3.1415926535897932384626433832795
#define DEFAULT 1
#define EXTERNAL 0
#define bit(b) (1UL << (b))
#define lowByte(w) ((uint8_t)((w)&0xff))
#define highByte(w) ((uint8_t)((w) >> 8))
#define F(text) (text)

class SerialStub {
 public:
  void begin(unsigned long) {}
  explicit operator bool() const { return true; }
  void print(const char* text) { printf("%s", text); }
  void print(char c) { printf("%c", c); }
  void print(int value) { printf("%d", value); }
  void print(long value) { printf("%ld", value); }
  void print(unsigned long value) { printf("%lu", value); }
  void print(double value, int digits = 2) { printf("%.*f", digits, value); }
  template <typename T>
  void println(T value) {
    print(value);
    printf("\n");
  }
};

extern SerialStub Serial;
unsigned long millis();
void delay(unsigned long milliseconds);

#endif  // ARDUINO_STUB_H_
