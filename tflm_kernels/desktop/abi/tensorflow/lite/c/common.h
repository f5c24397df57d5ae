// The C structs of TensorFlow Lite that an operator sees, laid out as the runtimes lay them out.
//
// Two layouts of TfLiteTensor and TfLiteNode exist. TensorFlow Lite and LiteRT use the long one.
// TFLite Micro, when built with TF_LITE_STATIC_MEMORY, uses one without the members that only
// dynamic memory and delegates need. Define the macro exactly when the runtime was built with it.
//
// Members nobody here reads keep their place as `reserved` pointers.

#ifndef RNNPOOL_ABI_TENSORFLOW_LITE_C_COMMON_H_
#define RNNPOOL_ABI_TENSORFLOW_LITE_C_COMMON_H_

#include <stddef.h>
#include <stdint.h>

typedef enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 } TfLiteStatus;

typedef enum {
  kTfLiteNoType = 0,
  kTfLiteFloat32 = 1,
  kTfLiteInt32 = 2,
  kTfLiteUInt8 = 3,
  kTfLiteInt64 = 4,
  kTfLiteInt16 = 7,
  kTfLiteInt8 = 9,
} TfLiteType;

// Where a tensor's data live. Constants of the model file are kTfLiteMmapRo.
typedef enum TfLiteAllocationType {
  kTfLiteMemNone = 0,
  kTfLiteMmapRo = 1,
  kTfLiteArenaRw = 2,
  kTfLiteArenaRwPersistent = 3,
  kTfLiteDynamic = 4,
  kTfLitePersistentRo = 5,
} TfLiteAllocationType;

typedef enum TfLiteQuantizationType {
  kTfLiteNoQuantization = 0,
  kTfLiteAffineQuantization = 1,
} TfLiteQuantizationType;

// A length followed by that many elements; allocated with malloc by whoever hands it over.
typedef struct TfLiteIntArray {
  int size;
  int data[];
} TfLiteIntArray;

typedef struct TfLiteFloatArray {
  int size;
  float data[];
} TfLiteFloatArray;

// real = scale * (stored - zero_point); one scale, or one per index of quantized_dimension.
typedef struct TfLiteAffineQuantization {
  TfLiteFloatArray* scale;
  TfLiteIntArray* zero_point;
  int32_t quantized_dimension;
} TfLiteAffineQuantization;

typedef struct TfLiteQuantization {
  TfLiteQuantizationType type;
  void* params;  // TfLiteAffineQuantization when type says so
} TfLiteQuantization;

typedef struct TfLiteQuantizationParams {
  float scale;
  int32_t zero_point;
} TfLiteQuantizationParams;

typedef union TfLitePtrUnion {
  char* raw;
  void* data;
} TfLitePtrUnion;

struct TfLiteContext;
struct TfLiteDelegate;

#ifndef TF_LITE_STATIC_MEMORY

typedef struct TfLiteTensor {
  TfLiteType type;
  TfLitePtrUnion data;
  TfLiteIntArray* dims;
  TfLiteQuantizationParams params;
  TfLiteAllocationType allocation_type;
  size_t bytes;
  const void* allocation;
  const char* name;
  struct TfLiteDelegate* delegate;
  int buffer_handle;
  bool data_is_stale;
  bool is_variable;
  TfLiteQuantization quantization;
  void* sparsity;
  const TfLiteIntArray* dims_signature;
} TfLiteTensor;

typedef struct TfLiteNode {
  TfLiteIntArray* inputs;  // tensor indices; -1 stands for an optional input left out
  TfLiteIntArray* outputs;
  TfLiteIntArray* intermediates;
  TfLiteIntArray* temporaries;
  void* user_data;  // what Init returned
  void* builtin_data;
  const void* custom_initial_data;  // the operator's options in the model file
  int custom_initial_data_size;
  struct TfLiteDelegate* delegate;
  bool might_have_side_effect;
} TfLiteNode;

#else

typedef struct TfLiteTensor {
  TfLiteQuantization quantization;
  TfLiteQuantizationParams params;
  TfLitePtrUnion data;
  TfLiteIntArray* dims;
  size_t bytes;
  TfLiteType type;
  TfLiteAllocationType allocation_type;
  bool is_variable;
} TfLiteTensor;

typedef struct TfLiteNode {
  TfLiteIntArray* inputs;
  TfLiteIntArray* outputs;
  TfLiteIntArray* intermediates;
  void* user_data;
  void* builtin_data;
  const void* custom_initial_data;
  int custom_initial_data_size;
} TfLiteNode;

#endif  // TF_LITE_STATIC_MEMORY

// TFLite Micro's view of a tensor while an operator runs.
typedef struct TfLiteEvalTensor {
  TfLitePtrUnion data;
  TfLiteIntArray* dims;
  TfLiteType type;
} TfLiteEvalTensor;

// An operator as TensorFlow Lite registers it.
typedef struct TfLiteRegistration {
  void* (*init)(struct TfLiteContext* context, const char* buffer, size_t length);
  void (*free)(struct TfLiteContext* context, void* buffer);
  TfLiteStatus (*prepare)(struct TfLiteContext* context, TfLiteNode* node);
  TfLiteStatus (*invoke)(struct TfLiteContext* context, TfLiteNode* node);
  const char* (*profiling_string)(const struct TfLiteContext* context, const TfLiteNode* node);
  int32_t builtin_code;
  const char* custom_name;
  int version;
  void* registration_external;
  void* async_kernel;
  uint64_t inplace_operator;
} TfLiteRegistration;

// What the runtime offers an operator (and a delegate).
typedef struct TfLiteContext {
  size_t tensors_size;
  TfLiteStatus (*GetExecutionPlan)(struct TfLiteContext*, TfLiteIntArray** plan);
  TfLiteTensor* tensors;
  void* impl_;
  TfLiteStatus (*ResizeTensor)(struct TfLiteContext*, TfLiteTensor*, TfLiteIntArray* size);
  void (*ReportError)(struct TfLiteContext*, const char* format, ...);
  void* reserved_AddTensors;
  TfLiteStatus (*GetNodeAndRegistration)(struct TfLiteContext*, int node_index,
                                         TfLiteNode** node, TfLiteRegistration** registration);
  TfLiteStatus (*ReplaceNodeSubsetsWithDelegateKernels)(struct TfLiteContext*,
                                                        TfLiteRegistration registration,
                                                        const TfLiteIntArray* nodes,
                                                        struct TfLiteDelegate* delegate);
  int recommended_num_threads;
  void* reserved_GetExternalContext;
  void* reserved_SetExternalContext;
  bool allow_fp32_relax_to_fp16;
  void* profiler;
  void* (*AllocatePersistentBuffer)(struct TfLiteContext*, size_t bytes);
  void* reserved_AllocateBufferForEval;
  TfLiteStatus (*RequestScratchBufferInArena)(struct TfLiteContext*, size_t bytes, int* index);
  void* (*GetScratchBuffer)(struct TfLiteContext*, int index);
} TfLiteContext;

// Handed to a delegate kernel's init in place of operator options.
typedef struct TfLiteDelegateParams {
  struct TfLiteDelegate* delegate;
  TfLiteIntArray* nodes_to_replace;
  TfLiteIntArray* input_tensors;
  TfLiteIntArray* output_tensors;
} TfLiteDelegateParams;

enum { kTfLiteDelegateFlagsAllowDynamicTensors = 1 };

typedef struct TfLiteDelegate {
  void* data_;
  TfLiteStatus (*Prepare)(TfLiteContext*, struct TfLiteDelegate*);
  void* copy_from_buffer_handle;
  void* copy_to_buffer_handle;
  void* free_buffer_handle;
  int64_t flags;
  void* opaque_delegate_builder;
} TfLiteDelegate;

// The layouts above, as the 64-bit runtimes were compiled.
#define RNNPOOL_ABI_OFFSET(type, member, bytes) \
  static_assert(sizeof(void*) != 8 || offsetof(type, member) == bytes, #type "::" #member)
#define RNNPOOL_ABI_SIZE(type, bytes) \
  static_assert(sizeof(void*) != 8 || sizeof(type) == bytes, "size of " #type)

#ifndef TF_LITE_STATIC_MEMORY
RNNPOOL_ABI_SIZE(TfLiteTensor, 112);
RNNPOOL_ABI_OFFSET(TfLiteTensor, dims, 16);
RNNPOOL_ABI_OFFSET(TfLiteTensor, allocation_type, 32);
RNNPOOL_ABI_OFFSET(TfLiteTensor, bytes, 40);
RNNPOOL_ABI_OFFSET(TfLiteTensor, quantization, 80);
RNNPOOL_ABI_SIZE(TfLiteNode, 80);
RNNPOOL_ABI_OFFSET(TfLiteNode, user_data, 32);
RNNPOOL_ABI_OFFSET(TfLiteNode, custom_initial_data, 48);
#else
RNNPOOL_ABI_SIZE(TfLiteTensor, 64);
RNNPOOL_ABI_OFFSET(TfLiteTensor, data, 24);
RNNPOOL_ABI_OFFSET(TfLiteTensor, type, 48);
RNNPOOL_ABI_OFFSET(TfLiteTensor, allocation_type, 52);
RNNPOOL_ABI_SIZE(TfLiteNode, 56);
RNNPOOL_ABI_OFFSET(TfLiteNode, user_data, 24);
#endif  // TF_LITE_STATIC_MEMORY
RNNPOOL_ABI_SIZE(TfLiteEvalTensor, 24);
RNNPOOL_ABI_SIZE(TfLiteAffineQuantization, 24);
RNNPOOL_ABI_SIZE(TfLiteRegistration, 88);
RNNPOOL_ABI_OFFSET(TfLiteRegistration, custom_name, 48);
RNNPOOL_ABI_SIZE(TfLiteDelegateParams, 32);
RNNPOOL_ABI_SIZE(TfLiteDelegate, 56);
RNNPOOL_ABI_OFFSET(TfLiteContext, impl_, 24);
RNNPOOL_ABI_OFFSET(TfLiteContext, ReportError, 40);
RNNPOOL_ABI_OFFSET(TfLiteContext, ReplaceNodeSubsetsWithDelegateKernels, 64);
RNNPOOL_ABI_OFFSET(TfLiteContext, recommended_num_threads, 72);
RNNPOOL_ABI_OFFSET(TfLiteContext, AllocatePersistentBuffer, 112);
RNNPOOL_ABI_OFFSET(TfLiteContext, GetScratchBuffer, 136);

#endif  // RNNPOOL_ABI_TENSORFLOW_LITE_C_COMMON_H_
