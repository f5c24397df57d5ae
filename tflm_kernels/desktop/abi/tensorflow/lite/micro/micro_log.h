// TFLite Micro's log: printf without floating point.

#ifndef RNNPOOL_ABI_TENSORFLOW_LITE_MICRO_MICRO_LOG_H_
#define RNNPOOL_ABI_TENSORFLOW_LITE_MICRO_MICRO_LOG_H_

void MicroPrintf(const char* format, ...);

#endif  // RNNPOOL_ABI_TENSORFLOW_LITE_MICRO_MICRO_LOG_H_
