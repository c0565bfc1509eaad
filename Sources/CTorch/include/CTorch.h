// A small C ABI over libtorch: boxed dispatcher calls by operator name, autograd, random generators, devices.
//
// Every function that can fail returns an error text that the caller frees with `vt_free`, or NULL for success; no C++
// exception leaves this library. Handles are owned by the caller and released with the matching `_release`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

void vt_free(void *memory);

// Operators.
VTError vt_operator(const char *name, const char *overload, VTOperator *result);
/// Calls `op` with the leading arguments given; the others take their defaults. Results are flattened (a tensor list
/// becomes that many tensors) into `results`, or, when there are more than `capacity`, into `*overflow`, which the caller
/// frees.
VTError vt_call(
    VTOperator op, const VTValue *arguments, size_t count, VTValue *results, size_t capacity, size_t *resultCount,
    VTValue **overflow);

// Tensors.
void vt_tensor_release(VTTensor tensor);
/// A contiguous CPU tensor over a copy of `bytes`, or over `bytes` itself when `release` is given: it is called with
/// `context` when the last reference goes.
VTError vt_tensor_from_memory(
    const void *bytes, int dtype, const int64_t *sizes, size_t dimensions, void (*release)(void *context), void *context,
    VTTensor *result);
size_t vt_tensor_dimensions(VTTensor tensor);
const int64_t *vt_tensor_sizes(VTTensor tensor);
const int64_t *vt_tensor_strides(VTTensor tensor);
int64_t vt_tensor_count(VTTensor tensor);
int vt_tensor_dtype(VTTensor tensor);
int64_t vt_tensor_device(VTTensor tensor);
bool vt_tensor_is_contiguous(VTTensor tensor, int memoryFormat);
/// The address of the first element (CPU tensors).
VTError vt_tensor_data(VTTensor tensor, void **data);
VTError vt_tensor_item(VTTensor tensor, double *real, int64_t *integer);
bool vt_tensor_requires_grad(VTTensor tensor);
VTError vt_tensor_set_requires_grad(VTTensor tensor, bool value);
/// The accumulated gradient, or NULL when there is none.
VTError vt_tensor_grad(VTTensor tensor, VTTensor *result);
VTError vt_tensor_set_grad(VTTensor tensor, VTTensor gradient);

// Autograd.
VTError vt_backward(VTTensor root, VTTensor gradient, bool retainGraph, bool createGraph);
/// Entries of `results` are NULL for inputs that `outputs` do not depend on (only when `allowUnused`).
VTError vt_gradients(
    const VTTensor *outputs, const VTTensor *outputGradients, size_t outputCount, const VTTensor *inputs,
    size_t inputCount, bool retainGraph, bool createGraph, bool allowUnused, VTTensor *results);
/// Begins and ends forward-mode differentiation, of which a process has one at a time.
VTError vt_enter_dual_level(uint64_t *level);
VTError vt_exit_dual_level(uint64_t level);
/// Sets this thread's gradient recording and returns the former value.
bool vt_set_grad_enabled(bool enabled);
bool vt_grad_enabled(void);
/// Sets this thread's autocast for a device type (0 CPU, 1 CUDA); `dtype` < 0 turns it off. Returns the former dtype or -1.
int vt_set_autocast(int deviceType, int dtype);
void vt_clear_autocast_cache(void);

// Generators.
VTError vt_generator(int64_t device, uint64_t seed, VTGenerator *result);
void vt_generator_release(VTGenerator generator);
VTError vt_generator_seed(VTGenerator generator, uint64_t seed);
VTError vt_generator_state(VTGenerator generator, VTTensor *result);
VTError vt_generator_set_state(VTGenerator generator, VTTensor state);

// The process.
/// Lets memory that is freed stay with the process, in one arena that serves all sizes (glibc only).
void vt_keep_freed_memory(void);
void vt_set_threads(int count);
int vt_threads(void);
/// Sets how many threads operators called from this thread may use; returns how many it was.
int vt_set_threads_here(int count);
/// Loads libtorch_cuda when it lies beside libtorch and returns how many CUDA devices there are.
int vt_cuda_devices(void);
VTError vt_cuda_synchronize(int index);
VTError vt_set_deterministic(bool enabled);
const char *vt_version(void);
/// The processor features libtorch's kernels were chosen for ("AVX512", "AVX2", "NEON", …).
const char *vt_cpu_capability(void);
/// Nanoseconds one call of `op` takes without Swift: libtorch's own time, by which the benchmark judges the boundary.
VTError vt_time_add(VTTensor a, VTTensor b, size_t repetitions, double *nanoseconds);

#ifdef __cplusplus
}
#endif
