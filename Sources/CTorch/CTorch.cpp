#include "CTorch.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/version.h>

#include <dlfcn.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace {

VTError copyText(const std::string &text) {
  auto *copy = static_cast<char *>(std::malloc(text.size() + 1));
  if (copy != nullptr) std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

/// Runs `body` and turns whatever it throws into a text.
template <typename Body>
VTError guarded(Body &&body) noexcept {
  try {
    body();
    return nullptr;
  } catch (const c10::Error &error) {
    return copyText(error.what_without_backtrace());
  } catch (const std::bad_alloc &) {
    return copyText("out of memory");
  } catch (const std::exception &error) {
    return copyText(error.what());
  } catch (...) {
    return copyText("unknown C++ exception");
  }
}

VTTensor release(at::Tensor tensor) { return tensor.unsafeReleaseTensorImpl(); }

/// A tensor that borrows the caller's reference: no reference counting on the way in.
struct Borrowed {
  explicit Borrowed(VTTensor handle)
      : tensor(c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>::reclaim(
            static_cast<at::TensorImpl *>(handle))) {}
  ~Borrowed() { tensor.unsafeReleaseTensorImpl(); }
  Borrowed(const Borrowed &) = delete;
  at::Tensor tensor;
};

at::Tensor retained(VTTensor handle) {
  return at::Tensor(c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>::reclaim_copy(
      static_cast<at::TensorImpl *>(handle)));
}

const at::TensorImpl *impl(VTTensor handle) { return static_cast<const at::TensorImpl *>(handle); }

c10::Device device(int64_t code) {
  return c10::Device(static_cast<c10::DeviceType>(code >> 8), static_cast<c10::DeviceIndex>((code & 0xff) - 1));
}

int64_t deviceCode(c10::Device device) { return (static_cast<int64_t>(device.type()) << 8) | (device.index() + 1); }

/// The value as the schema's type wants it: a Swift integer literal may stand where a float is declared.
c10::IValue value(const VTValue &from, const c10::Argument &argument) {
  switch (from.kind) {
    case VT_NONE:
      return c10::IValue();
    case VT_DEFAULT:
      TORCH_CHECK(argument.default_value().has_value(), "argument '", argument.name(), "' has no default");
      return *argument.default_value();
    case VT_TENSOR:
      return retained(const_cast<void *>(from.pointer));
    case VT_INT: {
      auto kind = argument.type()->kind();
      if (kind == c10::TypeKind::OptionalType)
        kind = argument.type()->castRaw<c10::OptionalType>()->getElementType()->kind();
      if (kind == c10::TypeKind::FloatType) return static_cast<double>(from.integer);
      return from.integer;
    }
    case VT_DOUBLE:
      return from.real;
    case VT_BOOL:
      return from.integer != 0;
    case VT_INTS: {
      // An empty array may stand for an empty list of anything.
      if (auto list = argument.type()->cast<c10::ListType>();
          from.count == 0 && list && list->getElementType()->kind() == c10::TypeKind::OptionalType)
        return c10::impl::GenericList(list->getElementType());
      auto *values = static_cast<const int64_t *>(from.pointer);
      return c10::List<int64_t>(at::IntArrayRef(values, static_cast<size_t>(from.count)));
    }
    case VT_DOUBLES: {
      auto *values = static_cast<const double *>(from.pointer);
      return c10::List<double>(at::ArrayRef<double>(values, static_cast<size_t>(from.count)));
    }
    case VT_BOOLS: {
      c10::List<bool> list;
      for (int64_t i = 0; i < from.count; ++i) list.push_back(static_cast<const int64_t *>(from.pointer)[i] != 0);
      return list;
    }
    case VT_TENSORS: {
      c10::List<at::Tensor> list;
      list.reserve(from.count);
      for (int64_t i = 0; i < from.count; ++i) list.push_back(retained(static_cast<void *const *>(from.pointer)[i]));
      return list;
    }
    case VT_OPTIONAL_TENSORS: {
      c10::List<std::optional<at::Tensor>> list;
      for (int64_t i = 0; i < from.count; ++i) {
        auto *handle = static_cast<void *const *>(from.pointer)[i];
        list.push_back(handle != nullptr ? std::optional<at::Tensor>(retained(handle)) : std::nullopt);
      }
      return list;
    }
    case VT_STRING:
      return std::string(static_cast<const char *>(from.pointer));
    case VT_DEVICE:
      return device(from.integer);
    case VT_GENERATOR:
      return *static_cast<const at::Generator *>(from.pointer);
  }
  TORCH_CHECK(false, "unknown kind of argument ", static_cast<int>(from.kind));
}

void flatten(const c10::IValue &result, std::vector<VTValue> &into) {
  VTValue out{};
  if (result.isTensor()) {
    if (result.toTensor().defined()) {
      out.kind = VT_TENSOR;
      out.pointer = release(result.toTensor());
    } else {
      out.kind = VT_NONE;
    }
  } else if (result.isTensorList()) {
    for (const at::Tensor &tensor : result.toTensorVector()) flatten(tensor, into);
    return;
  } else if (result.isBool()) {
    out.kind = VT_BOOL;
    out.integer = result.toBool();
  } else if (result.isInt()) {
    out.kind = VT_INT;
    out.integer = result.toInt();
  } else if (result.isDouble()) {
    out.kind = VT_DOUBLE;
    out.real = result.toDouble();
  } else {
    TORCH_CHECK(false, "result of type ", result.tagKind(), " is not supported");
  }
  into.push_back(out);
}

void vt_free(void *memory) { std::free(memory); }

VTError vt_operator(const char *name, const char *overload, VTOperator *result) {
  return guarded([&] {
    *result = new c10::OperatorHandle(c10::Dispatcher::singleton().findSchemaOrThrow(name, overload));
  });
}

VTError vt_call(
    VTOperator op, const VTValue *arguments, size_t count, VTValue *results, size_t capacity, size_t *resultCount,
    VTValue **overflow) {
  return guarded([&] {
    const auto &handle = *static_cast<const c10::OperatorHandle *>(op);
    const auto &declared = handle.schema().arguments();
    TORCH_CHECK(count <= declared.size(), "takes ", declared.size(), " arguments, not ", count);
    torch::jit::Stack stack;
    stack.reserve(declared.size());
    for (size_t i = 0; i < declared.size(); ++i) {
      if (i < count) {
        stack.push_back(value(arguments[i], declared[i]));
      } else {
        TORCH_CHECK(declared[i].default_value().has_value(), "argument '", declared[i].name(), "' is missing");
        stack.push_back(*declared[i].default_value());
      }
    }
    handle.callBoxed(stack);

    // The common case by hand: one tensor, moved out of the stack.
    if (stack.size() == 1 && stack[0].isTensor() && capacity >= 1) {
      auto tensor = std::move(stack[0]).toTensor();
      results[0] = VTValue{};
      results[0].kind = tensor.defined() ? VT_TENSOR : VT_NONE;
      results[0].pointer = tensor.defined() ? release(std::move(tensor)) : nullptr;
      *resultCount = 1;
      return;
    }
    std::vector<VTValue> flat;
    for (const auto &result : stack) flatten(result, flat);
    auto *target = results;
    if (flat.size() > capacity) {
      target = static_cast<VTValue *>(std::malloc(flat.size() * sizeof(VTValue)));
      TORCH_CHECK(target != nullptr, "out of memory");
      *overflow = target;
    }
    std::copy(flat.begin(), flat.end(), target);
    *resultCount = flat.size();
  });
}

void vt_tensor_release(VTTensor tensor) {
  c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>::reclaim(static_cast<at::TensorImpl *>(tensor));
}

VTError vt_tensor_from_memory(
    const void *bytes, int dtype, const int64_t *sizes, size_t dimensions, void (*releaseContext)(void *), void *context,
    VTTensor *result) {
  return guarded([&] {
    auto options = at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype));
    at::IntArrayRef shape(sizes, dimensions);
    if (releaseContext != nullptr) {
      auto borrowed = at::from_blob(
          const_cast<void *>(bytes), shape, [releaseContext, context](void *) { releaseContext(context); }, options);
      *result = release(borrowed);
      return;
    }
    auto tensor = at::empty(shape, options);
    if (tensor.nbytes() > 0) std::memcpy(tensor.mutable_data_ptr(), bytes, tensor.nbytes());
    *result = release(tensor);
  });
}

size_t vt_tensor_dimensions(VTTensor tensor) { return static_cast<size_t>(impl(tensor)->dim()); }
const int64_t *vt_tensor_sizes(VTTensor tensor) { return impl(tensor)->sizes().data(); }
const int64_t *vt_tensor_strides(VTTensor tensor) { return impl(tensor)->strides().data(); }
int64_t vt_tensor_count(VTTensor tensor) { return impl(tensor)->numel(); }
int vt_tensor_dtype(VTTensor tensor) { return static_cast<int>(c10::typeMetaToScalarType(impl(tensor)->dtype())); }
int64_t vt_tensor_device(VTTensor tensor) { return deviceCode(impl(tensor)->device()); }

bool vt_tensor_is_contiguous(VTTensor tensor, int memoryFormat) {
  return impl(tensor)->is_contiguous(static_cast<at::MemoryFormat>(memoryFormat));
}

VTError vt_tensor_data(VTTensor tensor, void **data) {
  return guarded([&] {
    Borrowed borrowed(tensor);
    TORCH_CHECK(borrowed.tensor.device().is_cpu(), "tensor is on ", borrowed.tensor.device(), ", not in main memory");
    *data = borrowed.tensor.mutable_data_ptr();
  });
}

VTError vt_tensor_item(VTTensor tensor, double *real, int64_t *integer) {
  return guarded([&] {
    Borrowed borrowed(tensor);
    auto scalar = borrowed.tensor.item();
    *real = scalar.toDouble();
    *integer = scalar.isFloatingPoint() ? 0 : scalar.toLong();
  });
}

bool vt_tensor_requires_grad(VTTensor tensor) { return impl(tensor)->requires_grad(); }

VTError vt_tensor_set_requires_grad(VTTensor tensor, bool value) {
  return guarded([&] {
    Borrowed borrowed(tensor);
    borrowed.tensor.set_requires_grad(value);
  });
}

VTError vt_tensor_grad(VTTensor tensor, VTTensor *result) {
  return guarded([&] {
    Borrowed borrowed(tensor);
    const auto &gradient = borrowed.tensor.grad();
    *result = gradient.defined() ? release(gradient) : nullptr;
  });
}

VTError vt_tensor_set_grad(VTTensor tensor, VTTensor gradient) {
  return guarded([&] {
    Borrowed borrowed(tensor);
    borrowed.tensor.mutable_grad() = gradient != nullptr ? retained(gradient) : at::Tensor();
  });
}

VTError vt_backward(VTTensor root, VTTensor gradient, bool retainGraph, bool createGraph) {
  return guarded([&] {
    torch::autograd::backward(
        {retained(root)}, gradient != nullptr ? std::vector<at::Tensor>{retained(gradient)} : std::vector<at::Tensor>{},
        retainGraph, createGraph);
  });
}

VTError vt_gradients(
    const VTTensor *outputs, const VTTensor *outputGradients, size_t outputCount, const VTTensor *inputs,
    size_t inputCount, bool retainGraph, bool createGraph, bool allowUnused, VTTensor *results) {
  return guarded([&] {
    std::vector<at::Tensor> roots, leaves, seeds;
    for (size_t i = 0; i < outputCount; ++i) roots.push_back(retained(outputs[i]));
    for (size_t i = 0; i < inputCount; ++i) leaves.push_back(retained(inputs[i]));
    if (outputGradients != nullptr)
      for (size_t i = 0; i < outputCount; ++i) seeds.push_back(retained(outputGradients[i]));
    auto gradients = torch::autograd::grad(roots, leaves, seeds, retainGraph, createGraph, allowUnused);
    for (size_t i = 0; i < inputCount; ++i)
      results[i] = gradients[i].defined() ? release(std::move(gradients[i])) : nullptr;
  });
}

VTError vt_enter_dual_level(uint64_t *level) {
  return guarded([&] { *level = torch::autograd::forward_ad::enter_dual_level(); });
}

VTError vt_exit_dual_level(uint64_t level) {
  return guarded([&] { torch::autograd::forward_ad::exit_dual_level(level); });
}

bool vt_set_grad_enabled(bool enabled) {
  bool former = c10::GradMode::is_enabled();
  c10::GradMode::set_enabled(enabled);
  return former;
}

bool vt_grad_enabled(void) { return c10::GradMode::is_enabled(); }

int vt_set_autocast(int deviceType, int dtype) {
  auto type = static_cast<at::DeviceType>(deviceType);
  int former =
      at::autocast::is_autocast_enabled(type) ? static_cast<int>(at::autocast::get_autocast_dtype(type)) : -1;
  at::autocast::set_autocast_enabled(type, dtype >= 0);
  if (dtype >= 0) at::autocast::set_autocast_dtype(type, static_cast<at::ScalarType>(dtype));
  return former;
}

void vt_clear_autocast_cache(void) { at::autocast::clear_cache(); }

VTError vt_generator(int64_t code, uint64_t seed, VTGenerator *result) {
  return guarded([&] {
    auto where = device(code);
    auto generator = where.is_cpu() ? at::make_generator<at::CPUGeneratorImpl>(seed)
                                    : at::globalContext().getAcceleratorHooksInterface(where.type()).getNewGenerator(
                                          where.index());
    generator.set_current_seed(seed);
    *result = new at::Generator(std::move(generator));
  });
}

void vt_generator_release(VTGenerator generator) { delete static_cast<at::Generator *>(generator); }

VTError vt_generator_seed(VTGenerator generator, uint64_t seed) {
  return guarded([&] { static_cast<at::Generator *>(generator)->set_current_seed(seed); });
}

VTError vt_generator_state(VTGenerator generator, VTTensor *result) {
  return guarded([&] { *result = release(static_cast<at::Generator *>(generator)->get_state()); });
}

VTError vt_generator_set_state(VTGenerator generator, VTTensor state) {
  return guarded([&] { static_cast<at::Generator *>(generator)->set_state(retained(state)); });
}

void vt_keep_freed_memory(void) {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);  // none is handed back
  mallopt(M_TOP_PAD, 64 << 20);
  mallopt(M_ARENA_MAX, 1);
#endif
}

void vt_set_threads(int count) { at::set_num_threads(count); }
int vt_threads(void) { return at::get_num_threads(); }

int vt_set_threads_here(int count) {
  // at::set_num_threads is also what other threads start with; OpenMP's own setting is the calling thread's.
  static const auto set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
  const int former = at::get_num_threads();
  if (set && count != former) set(count);
  return former;
}

int vt_cuda_devices(void) {
  // Loading registers the CUDA kernels with the dispatcher; without the library there simply are none.
  static void *library = dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) return 0;
  int count = 0;
  VTError error = guarded([&] { count = static_cast<int>(at::detail::getCUDAHooks().deviceCount()); });
  vt_free(error);
  return count;
}

VTError vt_cuda_synchronize(int index) {
  return guarded([&] { at::detail::getCUDAHooks().deviceSynchronize(static_cast<c10::DeviceIndex>(index)); });
}

VTError vt_set_deterministic(bool enabled) {
  return guarded([&] { at::globalContext().setDeterministicAlgorithms(enabled, /*warn_only=*/false); });
}

const char *vt_version(void) { return TORCH_VERSION; }

const char *vt_cpu_capability(void) {
  static const std::string capability = at::get_cpu_capability();
  return capability.c_str();
}

VTError vt_time_add(VTTensor a, VTTensor b, size_t repetitions, double *nanoseconds) {
  return guarded([&] {
    Borrowed left(a), right(b);
    auto start = std::chrono::steady_clock::now();
    for (size_t i = 0; i < repetitions; ++i) at::add(left.tensor, right.tensor);
    auto passed = std::chrono::steady_clock::now() - start;
    *nanoseconds = std::chrono::duration<double, std::nano>(passed).count() / static_cast<double>(repetitions);
  });
}

const VTFunctions functions = {
    .free = vt_free,
    .find_operator = vt_operator,
    .call = vt_call,
    .tensor_release = vt_tensor_release,
    .tensor_from_memory = vt_tensor_from_memory,
    .tensor_dimensions = vt_tensor_dimensions,
    .tensor_sizes = vt_tensor_sizes,
    .tensor_strides = vt_tensor_strides,
    .tensor_count = vt_tensor_count,
    .tensor_dtype = vt_tensor_dtype,
    .tensor_device = vt_tensor_device,
    .tensor_is_contiguous = vt_tensor_is_contiguous,
    .tensor_data = vt_tensor_data,
    .tensor_item = vt_tensor_item,
    .tensor_requires_grad = vt_tensor_requires_grad,
    .tensor_set_requires_grad = vt_tensor_set_requires_grad,
    .tensor_grad = vt_tensor_grad,
    .tensor_set_grad = vt_tensor_set_grad,
    .backward = vt_backward,
    .gradients = vt_gradients,
    .enter_dual_level = vt_enter_dual_level,
    .exit_dual_level = vt_exit_dual_level,
    .set_grad_enabled = vt_set_grad_enabled,
    .grad_enabled = vt_grad_enabled,
    .set_autocast = vt_set_autocast,
    .clear_autocast_cache = vt_clear_autocast_cache,
    .generator = vt_generator,
    .generator_release = vt_generator_release,
    .generator_seed = vt_generator_seed,
    .generator_state = vt_generator_state,
    .generator_set_state = vt_generator_set_state,
    .keep_freed_memory = vt_keep_freed_memory,
    .set_threads = vt_set_threads,
    .threads = vt_threads,
    .set_threads_here = vt_set_threads_here,
    .cuda_devices = vt_cuda_devices,
    .cuda_synchronize = vt_cuda_synchronize,
    .set_deterministic = vt_set_deterministic,
    .version = vt_version,
    .cpu_capability = vt_cpu_capability,
    .time_add = vt_time_add,
};

}  // namespace

const VTFunctions *vt_functions(void) { return &functions; }
