// A convolution in int8, one row of its output at a time, equal to TensorFlow Lite's reference
// kernels to the last bit. Full convolutions, and depthwise ones with one filter per channel;
// dilation 1.
//
//   rows    [kernel_height] pointers to rows of the input, [in_width][in_channels]; nullptr for a
//           row above or below the map
//   weights full [out_channels][kernel_height][kernel_width][in_channels],
//           depthwise [kernel_height][kernel_width][channels]; symmetric, a scale per channel
//   output  [out_width][out_channels]
// Pixel x of the output sees columns x * stride_width - pad_left + (0 .. kernel_width - 1). Places
// outside the map hold the input's zero point, so the bias may have -zero_point * (sum of the
// channel's weights) folded in everywhere (requantize.h).

#ifndef RNNPOOL_CONVOLUTION_H_
#define RNNPOOL_CONVOLUTION_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/requantize.h"

namespace rnnpool {

// Of a kernel's height and width.
const int32_t kMaxKernel = 11;

struct Convolution {
  int32_t in_width;
  int32_t in_channels;
  int32_t kernel_height;
  int32_t kernel_width;
  int32_t stride_width;
  int32_t pad_left;
  int32_t out_width;
  int32_t out_channels;
  int32_t input_zero_point;
  const int8_t* weights;
  ChannelTable table;
  OutputRange range;
  bool depthwise;

  int32_t input_row() const { return in_width * in_channels; }
  int32_t output_row() const { return out_width * out_channels; }
};

// Returns nullptr, or a sentence saying why the convolution cannot run. Reads weights and table.
// Any dimensions are safe to pass; the weights must have the size that they imply.
const char* CheckConvolution(const Convolution& convolution);

// Sets table.short_form of a checked convolution.
void FindShortForm(Convolution* convolution);

// Bytes of working memory, a multiple of 4.
size_t ConvolutionWorkspace(const Convolution& convolution);

// Computes one row. `workspace`: ConvolutionWorkspace bytes, aligned to 4, whose content does not
// matter. `output` overlaps neither the rows nor the workspace.
void RunConvolutionRow(const Convolution& convolution, const int8_t* const* rows, int8_t* output,
                       void* workspace);

}  // namespace rnnpool

#endif  // RNNPOOL_CONVOLUTION_H_
