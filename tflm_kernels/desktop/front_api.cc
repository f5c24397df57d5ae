// Fronts of networks as a C interface, for Python's ctypes and for tests. Whatever a function works
// on comes as a front image (rnnpool/front_image.h), aligned to 4 bytes.

#include <stdint.h>
#include <string.h>

#include <vector>

#include "c_api.h"
#include "rnnpool/front_image.h"
#include "rnnpool/line_stream.h"

using c_api::Buffer;
using c_api::Fail;

// What convolutions and RNNPool of an image need where the picture is resident. sizes [4] = scratch
// bytes, persistent bytes, height and width of RNNPool's output.
RNNPOOL_API int rnnpool_conv_pool_plan(const void* image, int64_t size, int64_t* sizes, char* error,
                                       int error_len) {
  rnnpool::FrontImage parsed;
  rnnpool::ConvPoolPlan plan;
  const char* sentence = rnnpool::ParseFront(image, static_cast<size_t>(size), &parsed);
  if (sentence == nullptr) {
    sentence = rnnpool::PlanConvPool(parsed.front.pool, rnnpool::InputRows::kResident, &plan);
  }
  if (sentence != nullptr) return Fail(sentence, error, error_len);
  sizes[0] = static_cast<int64_t>(plan.scratch.bytes);
  sizes[1] = static_cast<int64_t>(plan.persistent_bytes);
  sizes[2] = plan.pool.shape.grid.out_height;
  sizes[3] = plan.pool.shape.grid.out_width;
  return 0;
}

// Convolutions and RNNPool on `batch` resident maps x; y may overlap x where the in-place promise
// of rnnpool/conv_pool.h allows it.
RNNPOOL_API int rnnpool_conv_pool_run(const void* image, int64_t size, int batch, const int8_t* x,
                                      int8_t* y, char* error, int error_len) {
  rnnpool::FrontImage parsed;
  rnnpool::ConvPoolPlan plan;
  const char* sentence = rnnpool::ParseFront(image, static_cast<size_t>(size), &parsed);
  if (sentence == nullptr) {
    sentence = rnnpool::PlanConvPool(parsed.front.pool, rnnpool::InputRows::kResident, &plan);
  }
  if (sentence != nullptr) return Fail(sentence, error, error_len);
  Buffer persistent(plan.persistent_bytes);
  Buffer scratch(plan.scratch.bytes);
  rnnpool::ConvPoolLayer layer;
  rnnpool::BuildConvPool(parsed.front.pool, plan, persistent.get(), &layer);
  rnnpool::RunConvPool(layer, batch, x, y, scratch.get());
  return 0;
}

// The first convolution of an image on one whole map x.
RNNPOOL_API int rnnpool_convolution_run(const void* image, int64_t size, const int8_t* x, int8_t* y,
                                        char* error, int error_len) {
  rnnpool::FrontImage parsed;
  const char* sentence = rnnpool::ParseFront(image, static_cast<size_t>(size), &parsed);
  if (sentence != nullptr) return Fail(sentence, error, error_len);
  const rnnpool::ConvPoolSpec& pool = parsed.front.pool;
  if (pool.count == 0) return Fail("There is no convolution.", error, error_len);
  const rnnpool::ConvolutionSpec& spec = pool.convolutions[0];
  const rnnpool::Convolution convolution = {
      pool.width,    pool.channels,  spec.kernel_height, spec.kernel_width, spec.stride_width,
      spec.pad_left, spec.out_width, spec.out_channels,  pool.zero_point,   spec.weights,
      spec.table,    spec.range,     spec.depthwise};
  sentence = rnnpool::CheckConvolution(convolution);
  if (sentence != nullptr) return Fail(sentence, error, error_len);
  Buffer workspace(rnnpool::ConvolutionWorkspace(convolution));
  for (int32_t row = 0; row < spec.out_height; ++row) {
    const int8_t* rows[rnnpool::kMaxKernel];
    for (int32_t i = 0; i < spec.kernel_height; ++i) {
      const int32_t y_in = row * spec.stride_height - spec.pad_top + i;
      const bool inside = y_in >= 0 && y_in < pool.height;
      rows[i] = inside ? x + y_in * convolution.input_row() : nullptr;
    }
    rnnpool::RunConvolutionRow(convolution, rows, y, workspace.get());
    y += convolution.output_row();
  }
  return 0;
}

// ---- streams ----

// Opens an image, which must outlive the stream. sizes [8] = height, width and channels of the
// picture and of the map, bytes of the workspace, bytes of the stream itself. Returns nullptr with
// a sentence in `error`, or a stream to be closed.
RNNPOOL_API void* rnnpool_stream_open(const void* image, int64_t size, int64_t* sizes, char* error,
                                      int error_len) {
  rnnpool::LineStream* stream = new rnnpool::LineStream;
  const char* sentence = stream->Open(image, static_cast<size_t>(size));
  if (sentence != nullptr) {
    delete stream;
    Fail(sentence, error, error_len);
    return nullptr;
  }
  const int64_t values[8] = {stream->height(),
                             stream->width(),
                             stream->channels(),
                             stream->map_height(),
                             stream->map_width(),
                             stream->map_channels(),
                             static_cast<int64_t>(stream->workspace_bytes()),
                             static_cast<int64_t>(sizeof(*stream))};
  memcpy(sizes, values, sizeof(values));
  return stream;
}

RNNPOOL_API void rnnpool_stream_close(void* stream) {
  delete static_cast<rnnpool::LineStream*>(stream);
}

// Functions below return a LineStatus.
RNNPOOL_API int rnnpool_stream_begin(void* stream, int8_t* map, int64_t map_bytes, void* workspace,
                                     int64_t workspace_bytes) {
  return static_cast<int>(static_cast<rnnpool::LineStream*>(stream)->Begin(
      map, static_cast<size_t>(map_bytes), workspace, static_cast<size_t>(workspace_bytes)));
}

RNNPOOL_API int rnnpool_stream_feed(void* stream, int y, const void* line, int64_t bytes,
                                    int format) {
  return static_cast<int>(static_cast<rnnpool::LineStream*>(stream)->Feed(
      y, line, static_cast<size_t>(bytes), static_cast<rnnpool::PixelFormat>(format)));
}

RNNPOOL_API int rnnpool_stream_next_line(void* stream) {
  return static_cast<rnnpool::LineStream*>(stream)->next_line();
}

RNNPOOL_API int rnnpool_stream_finished(void* stream) {
  return static_cast<rnnpool::LineStream*>(stream)->finished();
}

RNNPOOL_API int64_t rnnpool_stream_line_bytes(void* stream, int format) {
  return static_cast<int64_t>(static_cast<rnnpool::LineStream*>(stream)->line_bytes(
      static_cast<rnnpool::PixelFormat>(format)));
}

RNNPOOL_API const char* rnnpool_stream_describe(int status) {
  return rnnpool::Describe(static_cast<rnnpool::LineStatus>(status));
}
