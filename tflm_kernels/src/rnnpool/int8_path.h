// Which code computes the int8 cells: RNNPOOL_USE_DSP is 1 on Cortex-M processors with the DSP
// extension (M4, M7, M33, M55) unless RNNPOOL_FORCE_PORTABLE is defined. All results are equal.
// RNNPOOL_USE_AVX2 is 1 on x86-64, where the portable code hands over at run time to code for AVX2
// if the processor has it; RNNPOOL_FORCE_PORTABLE turns this off, too.
// The DSP path loads words of pixels from any address, as these processors allow after reset
// (CCR.UNALIGN_TRP = 0).

#ifndef RNNPOOL_INT8_PATH_H_
#define RNNPOOL_INT8_PATH_H_

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M' && \
    !defined(__ARM_BIG_ENDIAN) && !defined(RNNPOOL_FORCE_PORTABLE)
#define RNNPOOL_USE_DSP 1
#else
#define RNNPOOL_USE_DSP 0
#endif

#if defined(__x86_64__) && defined(__GNUC__) && !defined(RNNPOOL_FORCE_PORTABLE)
#define RNNPOOL_USE_AVX2 1
#else
#define RNNPOOL_USE_AVX2 0
#endif

#endif  // RNNPOOL_INT8_PATH_H_
