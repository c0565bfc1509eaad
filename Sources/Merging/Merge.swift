import Checkpoints
import Torch

/// Merges `models` tensor by tensor, matched by name, in the names' order of the first.
///
/// Half-precision tensors are merged in float32 and rounded once; float64 stays float64. Integer tensors (BatchNorm's counters) are averaged
/// over the models and rounded. Random numbers depend on `seed`, the tensor's name and the model's position, not on the order
/// in which tensors are merged.
///
/// - Throws: `MergeError` where the method wants another number of models or a base, `CheckpointError` listing every difference in names,
///   shapes and types.
public func merge(
  _ models: [Weights], base: Weights? = nil, method: MergeMethod, settings: MergeSettings, seed: UInt64 = 0
) throws -> Weights {
  try method.requireInputs(models: models.count, hasBase: base != nil)
  guard let first = models.first else { throw MergeError("there is nothing to merge") }
  for other in models.dropFirst() + (base.map { [$0] } ?? []) { try first.requireSameLayout(as: other) }
  return try withoutGradients {
    try first.map { name, tensor in
      let tensors = models.compactMap { $0[name] }
      guard tensor.count > 0 else { return try tensor.clone() }
      guard tensor.dtype.isFloatingPoint else {
        let part = 1 / Double(tensors.count)
        let sum = try tensors.map { try $0.to(.float64) * part }.reduce(tensor.to(.float64).zerosLike()) { try $0 + $1 }
        return try sum.round().to(tensor.dtype)
      }
      let wide: DType = tensor.dtype == .float64 ? .float64 : .float32
      let inputs = try MergeInputs(
        name: name, models: tensors.map { try $0.to(wide) }, base: base?[name]?.to(wide), seed: seed)
      let merged = try method.arithmetic(inputs, settings).to(tensor.dtype)
      // A method may hand one of its inputs on; the result's memory is its own.
      return try merged.reshape(tensor.shape).clone()
    }
  }
}

/// What a method's arithmetic sees: one tensor of every model, in float32 (or float64).
struct MergeInputs {
  let name: String
  let models: [Tensor]
  let base: Tensor?
  let seed: UInt64

  /// The base, which `MergeMethod.requireInputs` made sure of.
  func requireBase() throws -> Tensor {
    guard let base else { throw MergeError("\(name): the base is missing") }
    return base
  }

  /// δᵢ = Wᵢ − W₀
  func taskVectors() throws -> [Tensor] {
    let base = try requireBase()
    return try models.map { try $0 - base }
  }

  /// Random numbers of one model's tensor.
  func generator(model: Int) throws -> Generator {
    // FNV-1a: the same on every machine, which Swift's hashing is not.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    let parts = [Array(name.utf8), withUnsafeBytes(of: UInt64(model).littleEndian, Array.init)]
    for byte in parts.joined() + withUnsafeBytes(of: seed.littleEndian, Array.init) {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    // SplitMix64's last step: spreads every bit over the word, of which the generator may use a part.
    hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
    hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
    return try Generator(seed: hash ^ (hash >> 31))
  }
}
