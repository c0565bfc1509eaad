import CTorch

extension Tensor {
  /// Whether operations on this tensor are recorded for differentiation; `torch.Tensor.requires_grad`.
  public var requiresGradient: Bool { reference.unmade == nil && libtorch.tensor_requires_grad(reference.handle) }

  /// Turns recording on or off for a leaf tensor, one that no recorded operation has made. For others it cannot be
  /// turned off.
  ///
  /// - Throws: `TorchError` for an integer tensor.
  public func setRequiresGradient(_ value: Bool) throws {
    try check(libtorch.tensor_set_requires_grad(reference.handle, value), "setRequiresGradient", [self])
  }

  /// The gradient that `backward` has accumulated in this leaf, of its shape and type; nil if there is none.
  /// `torch.Tensor.grad`.
  public func gradient() throws -> Tensor? {
    var result: VTTensor?
    try check(libtorch.tensor_grad(reference.handle, &result), "gradient", [self])
    return result.map { Tensor(owning: $0) }
  }

  /// Replaces the accumulated gradient, which must have this tensor's shape and type: they are not checked. nil frees
  /// it, so that the next `backward` writes instead of adding.
  public func setGradient(_ gradient: Tensor?) throws {
    try check(libtorch.tensor_set_grad(reference.handle, gradient?.reference.handle), "setGradient", [self])
  }

  /// Adds the gradient of this tensor to that of every leaf it depends on that requires one; `torch.Tensor.backward`.
  ///
  /// - Parameters:
  ///   - gradient: the gradient with respect to this tensor, of its shape; may be left out for a single element
  ///   - retainGraph: whether to keep what is needed to differentiate a second time
  /// - Throws: `TorchError` when nothing was recorded, or what was recorded is used up.
  public func backward(gradient: Tensor? = nil, retainGraph: Bool = false) throws {
    try check(libtorch.backward(reference.handle, gradient?.reference.handle, retainGraph, false), "backward", [self])
  }

  /// This tensor cut off from what computed it; the elements are shared. `torch.Tensor.detach`.
  public func detach() throws -> Tensor { try call("aten::detach", self) }
}

/// The gradient of Σ `output` with respect to each of `inputs`, of its shape; `torch.autograd.grad`.
///
/// - Parameters:
///   - output: what is differentiated
///   - inputs: tensors that require a gradient and that `output` was computed from
///   - outputGradient: weights of the sum over `output`, of its shape; may be left out when it has one element
///   - retainGraph: whether to keep what is needed to differentiate a second time; nil: as `createGraph`
///   - createGraph: whether the gradients can be differentiated themselves, for Hessian–vector products
/// - Throws: `TorchError` when `output` does not depend on one of the inputs.
public func gradients(
  of output: Tensor, withRespectTo inputs: [Tensor], outputGradient: Tensor? = nil, retainGraph: Bool? = nil,
  createGraph: Bool = false
) throws -> [Tensor] {
  let leaves: [VTTensor?] = inputs.map(\.reference.handle)
  var results = [VTTensor?](repeating: nil, count: inputs.count)
  var root: VTTensor? = output.reference.handle
  var seed: VTTensor? = outputGradient?.reference.handle
  try withExtendedLifetime((inputs, output, outputGradient)) {
    try check(
      withUnsafeMutablePointer(to: &seed) { seed in
        libtorch.gradients(
          &root, outputGradient == nil ? nil : seed, 1, leaves, leaves.count, retainGraph ?? createGraph, createGraph,
          false, &results)
      },
      "gradients", [output])
  }
  return results.compactMap { $0.map { Tensor(owning: $0) } }
}

/// Whether operations are recorded for differentiation on this thread; `torch.is_grad_enabled`.
public var recordsGradients: Bool {
  let isOn = libtorch.set_grad_enabled(false)
  _ = libtorch.set_grad_enabled(isOn)
  return isOn
}

/// Runs `body` without recording for differentiation; `torch.no_grad`. The setting belongs to the thread, so `body`
/// must not suspend.
public func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
  let former = libtorch.set_grad_enabled(false)
  defer { _ = libtorch.set_grad_enabled(former) }
  return try body()
}

/// Runs `body` in mixed precision: convolutions and matrix products in `dtype`, operators that need more range in
/// float32. `torch.autocast`. nil changes nothing. The setting belongs to the thread, so `body` must not suspend.
public func withAutocast<Result>(_ dtype: DType?, on device: Device = .cpu, _ body: () throws -> Result) rethrows
  -> Result
{
  guard let dtype else { return try body() }
  let kind = Int32(device.kind.rawValue)
  let former = libtorch.set_autocast(kind, dtype.rawValue)
  defer {
    _ = libtorch.set_autocast(kind, former)
    // Casts of weights are cached while autocast is on; they must not outlive a change of the weights.
    libtorch.clear_autocast_cache()
  }
  return try body()
}

/// The type that `withAutocast` has set on this thread for a kind of device; nil outside it.
public func autocastType(on device: Device = .cpu) -> DType? {
  let kind = Int32(device.kind.rawValue)
  let type = libtorch.set_autocast(kind, -1)
  _ = libtorch.set_autocast(kind, type)
  return DType(rawValue: type)
}

/// Runs `body` with every operation in its operands' own type, even inside `withAutocast`. The setting belongs to the
/// thread, so `body` must not suspend.
public func withoutAutocast<Result>(on device: Device = .cpu, _ body: () throws -> Result) rethrows -> Result {
  let kind = Int32(device.kind.rawValue)
  let former = libtorch.set_autocast(kind, -1)
  defer { _ = libtorch.set_autocast(kind, former) }
  return try body()
}
