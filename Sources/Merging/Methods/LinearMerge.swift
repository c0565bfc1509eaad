import Weights

/// Linear merging: θ = Σ cᵢ θᵢ (paper, section 2: (1 − α) θ_A + α θ_B).
///
/// Half-precision tensors are summed in float32 and rounded once. A coefficient of 0 leaves its model out, so
/// coefficients (1, 0) give the first model bit for bit; either of two models may come first. Integer tensors are
/// averaged and rounded.
///
/// - Throws: `MergeError` without models or with another number of coefficients, `FileError` listing every
///   difference in names, shapes and types.
public func linearMerge(_ models: [Weights], coefficients: [Double]) throws -> Weights {
  guard !models.isEmpty, models.count == coefficients.count else {
    throw MergeError("\(models.count) models and \(coefficients.count) coefficients: one coefficient a model is needed")
  }
  let settings = try MergeSettings(["weight": coefficients, "normalize": [0]], for: .linear, models: models.count)
  return try merge(models, method: .linear, settings: settings)
}
