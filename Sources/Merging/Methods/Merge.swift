import Torch
import Weights

/// Merges `models` tensor by tensor, matched by name, in the names' order of the first.
///
/// Half-precision tensors are merged in float32 and rounded once; float64 stays float64. Integer tensors (BatchNorm's
/// counters) are averaged over the models (by `linear` with its weights) and rounded. Random numbers depend on `seed`,
/// the tensor's name and the model's position, not on the order in which tensors are merged.
///
/// - Parameters:
///   - base: the weights that the models were fine-tuned from, for methods that take them
///   - seed: what the random numbers of a random method follow from
/// - Throws: `MergeError` where the method wants another number of models or a base, `FileError` listing every
///   difference in names, shapes and types.
public func merge(
  _ models: [Weights], base: Weights? = nil, method: MergeMethod, settings: MergeSettings, seed: UInt64 = 0
) throws -> Weights {
  try method.requireInputs(models: models.count, hasBase: base != nil)
  guard let first = models.first else { throw MergeError("there is nothing to merge") }
  for other in models.dropFirst() + (base.map { [$0] } ?? []) { try first.requireSameLayout(as: other) }
  let planned = try PlannedTensor.trimmed(
    zip(first.names, first.tensors).map { name, tensor in
      PlannedTensor(
        name: name, dtype: tensor.dtype, method: method, settings: settings, models: models.compactMap { $0[name] },
        base: base?[name], seed: seed)
    })
  let executor = MergeExecutor()
  return try withoutGradients {
    try Weights(
      zip(planned, first.tensors).map { planned, original in
        let merged = try executor.tensor(planned, mustBeFinite: false)
        // Convolutions are laid out as they were.
        let isChannelsLast = original.rank == 4 && !original.isContiguous() && original.isContiguous(.channelsLast)
        return (planned.name, try (isChannelsLast ? merged.contiguous(.channelsLast) : merged).to(original.device))
      })
  }
}
