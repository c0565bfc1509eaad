import Checkpoints
import Torch
import Weights

/// Merges `models` tensor by tensor, matched by name, in the names' order of the first.
///
/// Half-precision tensors are merged in float32 and rounded once; float64 stays float64. Integer tensors (BatchNorm's counters) are averaged
/// over the models (by `linear` with its weights) and rounded. Random numbers depend on `seed`, the tensor's name and the model's position, not on the order
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
  let workspace = Workspace()
  let trims = try modelTrims(models, base, method, settings)
  return try withoutGradients {
    try first.mapTensors { name, tensor in
      guard tensor.count > 0 else { return try tensor.clone() }
      let inputs = try MergeInputs(
        name: name, models: try models.compactMap { try $0[name].map { try TensorSource($0) } },
        base: try base?[name].map { try TensorSource($0) }, modelTrim: trims[name], seed: seed, workspace: workspace)
      let pass = try method.pass(inputs, settings, isInteger: !tensor.dtype.isFloatingPoint)
      let merged = try Tensor.zeros(tensor.shape, dtype: tensor.dtype)
      try merged.withUnsafeBytes { bytes in
        guard let bytes = UnsafeMutableRawPointer(mutating: bytes.baseAddress) else { return }
        try inputs.forEachChunk(of: pass.group) { range in
          let result = inputs.vector(.result, range.count)
          try pass.write(range, result)
          _ = result.store(bytes + range.lowerBound * tensor.dtype.byteCount, tensor.dtype.rawValue)
        }
      }
      // Convolutions are laid out as they were.
      let isChannelsLast = tensor.rank == 4 && !tensor.isContiguous() && tensor.isContiguous(.channelsLast)
      return try (isChannelsLast ? merged.contiguous(.channelsLast) : merged).to(tensor.device)
    }
  }
}

/// What the method trims over all tensors together, by the tensors' names.
private func modelTrims(_ models: [Weights], _ base: Weights?, _ method: MergeMethod, _ settings: MergeSettings) throws
  -> [String: ModelTrim]
{
  guard let first = models.first else { return [:] }
  let trims = try ModelTrim.groups(Array(first)) { _, tensor in
    guard tensor.dtype.isFloatingPoint, tensor.count > 0 else { return nil }
    return try method.modelDensity(tensor.shape, settings)
  } member: { name, tensor in
    let member = ModelTrim.Member(name: name, count: tensor.count) { model, _ in
      guard let tensor = models[model][name], let start = base?[name] else {
        throw MergeError("\(name): is missing in a model or in the base")
      }
      return (try TensorSource(tensor), try TensorSource(start))
    }
    return (member, tensor.dtype == .float64)
  }
  return Dictionary(uniqueKeysWithValues: trims.map { (first.names[$0], $1) })
}

extension MergeMethod {
  /// The last pass over a tensor; integers are averaged where the method is none that sums models alone.
  func pass(_ inputs: MergeInputs, _ settings: MergeSettings, isInteger: Bool) throws -> MergePass {
    guard isInteger, name != MergeMethod.linear.name, name != MergeMethod.passthrough.name else {
      return try arithmetic(inputs, settings)
    }
    let part = 1 / Double(inputs.models.count)
    return Combination.pass(inputs, .models, inputs.models.map { _ in part })
  }
}
