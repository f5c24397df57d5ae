#include "rnnpool/text.h"

namespace rnnpool {

Text& Text::Add(const char* words) {
  while (*words != '\0' && length_ + 1 < size_) text_[length_++] = *words++;
  text_[length_] = '\0';
  return *this;
}

Text& Text::Add(int64_t number) {
  char digits[21];
  char* first = digits + sizeof(digits) - 1;
  *first = '\0';
  uint64_t rest =
      number < 0 ? uint64_t(0) - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
  do {
    *--first = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (number < 0) *--first = '-';
  return Add(first);
}

}  // namespace rnnpool
