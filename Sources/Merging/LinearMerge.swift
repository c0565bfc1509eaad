import Checkpoints
import Torch

/// Linear merging: θ = Σ cᵢ θᵢ (paper, section 2: (1 − α) θ_A + α θ_B).
///
/// Half-precision tensors are summed in float32 and rounded once. A coefficient of 0 leaves its model out, so coefficients
/// (1, 0) give the first model bit for bit; of two models either may come first. Integer tensors are averaged and rounded.
///
/// - Throws: `MergeError` without models or with another number of coefficients, `CheckpointError` listing every difference in names,
///   shapes and types.
public func linearMerge(_ models: [Weights], coefficients: [Double]) throws -> Weights {
  guard let first = models.first, models.count == coefficients.count else {
    throw MergeError("\(models.count) models and \(coefficients.count) coefficients: one coefficient a model is needed")
  }
  for model in models.dropFirst() { try first.requireSameLayout(as: model) }
  let used = zip(models, coefficients).filter { $0.1 != 0 }
  return try withoutGradients {
    try first.map { name, tensor in
      let dtype = tensor.dtype
      let wide: DType = dtype == .float64 || !dtype.isFloatingPoint ? .float64 : .float32
      var sum: Tensor?
      for (model, coefficient) in used {
        guard let term = try model[name].map({ try $0.to(wide) * coefficient }) else { continue }
        sum = try sum?.addInPlace(term) ?? term
      }
      let result = try sum ?? tensor.to(wide).zerosLike()
      return try (dtype.isFloatingPoint ? result : result.round()).to(dtype)
    }
  }
}

/// What cannot be merged.
public struct MergeError: Error, CustomStringConvertible, Sendable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
