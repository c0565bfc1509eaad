import CTorch

/// A source of random numbers whose state can be saved and restored; `torch.Generator`.
///
/// A generator is a reference and belongs to one task at a time.
public final class Generator: @unchecked Sendable {
  let handle: VTGenerator

  /// A new generator, a Mersenne Twister on the CPU and Philox on CUDA, whose numbers `seed` fixes.
  ///
  /// - Throws: `TorchError` when there is no such device.
  public init(seed: UInt64, device: Device = .cpu) throws {
    var result: VTGenerator?
    try check(libtorch.generator(device.code, seed, &result), "Generator")
    guard let result else { throw TorchError(operation: "Generator", message: "no generator was made") }
    handle = result
  }

  deinit { libtorch.generator_release(handle) }

  /// Starts at the beginning of `seed`'s sequence; `torch.Generator.manual_seed`.
  public func reseed(_ seed: UInt64) throws { try check(libtorch.generator_seed(handle, seed), "Generator.reseed") }

  /// The whole state, [bytes] uint8 on the CPU; `torch.Generator.get_state`.
  public func state() throws -> Tensor {
    var result: VTTensor?
    try check(libtorch.generator_state(handle, &result), "Generator.state")
    guard let result else { throw TorchError(operation: "Generator.state", message: "no state") }
    return Tensor(owning: result)
  }

  /// Continues from a saved state; `torch.Generator.set_state`.
  ///
  /// - Throws: `TorchError` for a tensor that is not the state of a generator of this kind.
  public func restore(_ state: Tensor) throws {
    try check(libtorch.generator_set_state(handle, state.reference.handle), "Generator.restore", [state])
  }
}
