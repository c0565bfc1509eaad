// A small C ABI over libtorch: boxed dispatcher calls by operator name, autograd, random generators, devices.
//
// libtorch takes a third of a second to load, which a merge or `--help` need not spend. So the functions are a library of their own, which
// `Torch` opens when the first of them is called, and this header is all that other targets see of it.
//
// Every function that can fail returns an error text that the caller frees with `free`, or NULL for success; no C++
// exception leaves this library. Handles are owned by the caller and released with the matching `_release`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Only the functions and what cannot be missing is annotated, so that Swift need not ask for it.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-completeness"

#ifdef __cplusplus
extern "C" {
#endif

typedef void *VTTensor;     // an owned reference to a TensorImpl
typedef void *VTGenerator;  // an owned at::Generator
typedef const void *VTOperator;  // a looked-up operator; lives as long as the process
typedef char *VTError;      // NULL: success

typedef enum {
  VT_NONE = 0,         // absent optional
  VT_DEFAULT,          // the schema's default value
  VT_TENSOR,           // pointer: VTTensor
  VT_INT,              // integer
  VT_DOUBLE,           // real
  VT_BOOL,             // integer
  VT_INTS,             // pointer: int64_t[count]
  VT_DOUBLES,          // pointer: double[count]
  VT_TENSORS,          // pointer: VTTensor[count]
  VT_OPTIONAL_TENSORS, // pointer: VTTensor[count], NULL entries are absent
  VT_STRING,           // pointer: NUL-terminated UTF-8
  VT_DEVICE,           // integer: type << 8 | (index + 1)
  VT_GENERATOR,        // pointer: VTGenerator
  VT_BOOLS,            // pointer: int64_t[count], each 0 or 1
} VTKind;

typedef struct {
  VTKind kind;
  int64_t integer;
  double real;
  const void *pointer;
  int64_t count;
} VTValue;

/// What the library can do.
typedef struct {
  void (*_Nonnull free)(void *memory);

  // Operators.
  VTError (*_Nonnull find_operator)(const char *name, const char *overload, VTOperator *result);
  /// Calls `op` with the leading arguments given; the others take their defaults. Results are flattened (a tensor list
  /// becomes that many tensors) into `results`, or, when there are more than `capacity`, into `*overflow`, which the caller
  /// frees.
  VTError (*_Nonnull call)(
      VTOperator op, const VTValue *arguments, size_t count, VTValue *results, size_t capacity, size_t *resultCount,
      VTValue **overflow);

  // Tensors.
  void (*_Nonnull tensor_release)(VTTensor tensor);
  /// A contiguous CPU tensor over a copy of `bytes`, or over `bytes` itself when `release` is given: it is called with
  /// `context` when the last reference goes.
  VTError (*_Nonnull tensor_from_memory)(
      const void *bytes, int dtype, const int64_t *sizes, size_t dimensions, void (*release)(void *context), void *context,
      VTTensor *result);
  size_t (*_Nonnull tensor_dimensions)(VTTensor tensor);
  const int64_t *_Nonnull (*_Nonnull tensor_sizes)(VTTensor tensor);
  const int64_t *_Nonnull (*_Nonnull tensor_strides)(VTTensor tensor);
  int64_t (*_Nonnull tensor_count)(VTTensor tensor);
  int (*_Nonnull tensor_dtype)(VTTensor tensor);
  int64_t (*_Nonnull tensor_device)(VTTensor tensor);
  bool (*_Nonnull tensor_is_contiguous)(VTTensor tensor, int memoryFormat);
  /// The address of the first element (CPU tensors).
  VTError (*_Nonnull tensor_data)(VTTensor tensor, void **data);
  VTError (*_Nonnull tensor_item)(VTTensor tensor, double *real, int64_t *integer);
  bool (*_Nonnull tensor_requires_grad)(VTTensor tensor);
  VTError (*_Nonnull tensor_set_requires_grad)(VTTensor tensor, bool value);
  /// The accumulated gradient, or NULL when there is none.
  VTError (*_Nonnull tensor_grad)(VTTensor tensor, VTTensor *result);
  VTError (*_Nonnull tensor_set_grad)(VTTensor tensor, VTTensor gradient);

  // Autograd.
  VTError (*_Nonnull backward)(VTTensor root, VTTensor gradient, bool retainGraph, bool createGraph);
  /// Entries of `results` are NULL for inputs that `outputs` do not depend on (only when `allowUnused`).
  VTError (*_Nonnull gradients)(
      const VTTensor *outputs, const VTTensor *outputGradients, size_t outputCount, const VTTensor *inputs,
      size_t inputCount, bool retainGraph, bool createGraph, bool allowUnused, VTTensor *results);
  /// Begins and ends forward-mode differentiation, of which a process has one at a time.
  VTError (*_Nonnull enter_dual_level)(uint64_t *level);
  VTError (*_Nonnull exit_dual_level)(uint64_t level);
  /// Sets this thread's gradient recording and returns the former value.
  bool (*_Nonnull set_grad_enabled)(bool enabled);
  bool (*_Nonnull grad_enabled)(void);
  /// Sets this thread's autocast for a device type (0 CPU, 1 CUDA); `dtype` < 0 turns it off. Returns the former dtype or -1.
  int (*_Nonnull set_autocast)(int deviceType, int dtype);
  void (*_Nonnull clear_autocast_cache)(void);

  // Generators.
  VTError (*_Nonnull generator)(int64_t device, uint64_t seed, VTGenerator *result);
  void (*_Nonnull generator_release)(VTGenerator generator);
  VTError (*_Nonnull generator_seed)(VTGenerator generator, uint64_t seed);
  VTError (*_Nonnull generator_state)(VTGenerator generator, VTTensor *result);
  VTError (*_Nonnull generator_set_state)(VTGenerator generator, VTTensor state);

  // The process.
  /// Lets memory that is freed stay with the process, in one arena that serves all sizes (glibc only).
  void (*_Nonnull keep_freed_memory)(void);
  void (*_Nonnull set_threads)(int count);
  int (*_Nonnull threads)(void);
  /// Sets how many threads operators called from this thread may use; returns how many it was.
  int (*_Nonnull set_threads_here)(int count);
  /// Loads libtorch_cuda when it lies beside libtorch and returns how many CUDA devices there are.
  int (*_Nonnull cuda_devices)(void);
  VTError (*_Nonnull cuda_synchronize)(int index);
  VTError (*_Nonnull set_deterministic)(bool enabled);
  const char *_Nonnull (*_Nonnull version)(void);
  /// The processor features libtorch's kernels were chosen for ("AVX512", "AVX2", "NEON", …).
  const char *_Nonnull (*_Nonnull cpu_capability)(void);
  /// Nanoseconds one call of `op` takes without Swift: libtorch's own time, by which the benchmark judges the boundary.
  VTError (*_Nonnull time_add)(VTTensor a, VTTensor b, size_t repetitions, double *nanoseconds);
} VTFunctions;

/// The library's only symbol.
const VTFunctions *vt_functions(void);

#ifdef __cplusplus
}
#endif

#pragma clang diagnostic pop
