// Composes text in a buffer of fixed size; printf would cost kilobytes of flash.

#ifndef RNNPOOL_TEXT_H_
#define RNNPOOL_TEXT_H_

#include <stddef.h>
#include <stdint.h>

namespace rnnpool {

// What does not fit is left out; the buffer always holds a terminated text.
class Text {
 public:
  template <size_t kSize>
  explicit Text(char (&buffer)[kSize]) : text_(buffer), size_(kSize), length_(0) {
    text_[0] = '\0';
  }

  Text& Add(const char* words);
  Text& Add(int64_t number);

  const char* text() const { return text_; }

 private:
  char* text_;
  size_t size_;
  size_t length_;
};

}  // namespace rnnpool

#endif  // RNNPOOL_TEXT_H_
