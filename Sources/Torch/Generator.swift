import CTorch

/// A source of random numbers whose state can be saved and restored.
///
/// A generator is a reference and belongs to one task at a time.
public final class Generator: @unchecked Sendable {
  let handle: VTGenerator

  /// A new Mersenne Twister (CPU) or Philox (CUDA) generator.
  public init(seed: UInt64, device: Device = .cpu) throws {
    var result: VTGenerator?
    try check(libtorch.generator(device.code, seed, &result), "Generator")
    guard let result else { throw TorchError(operation: "Generator", message: "no generator was made") }
    handle = result
  }

  deinit { libtorch.generator_release(handle) }

  /// Starts the sequence of `seed` from its beginning.
  public func reseed(_ seed: UInt64) throws { try check(libtorch.generator_seed(handle, seed), "Generator.reseed") }

  /// The whole state as a tensor of bytes.
  public func state() throws -> Tensor {
    var result: VTTensor?
    try check(libtorch.generator_state(handle, &result), "Generator.state")
    guard let result else { throw TorchError(operation: "Generator.state", message: "no state") }
    return Tensor(owning: result)
  }

  /// Goes on from a state saved before.
  public func restore(_ state: Tensor) throws {
    try check(libtorch.generator_set_state(handle, state.reference.handle), "Generator.restore", [state])
  }
}
