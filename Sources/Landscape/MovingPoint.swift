import Weights

/// Weights that stand at one point of weight space after the other, always in the same memory.
public final class MovingPoint {
  /// The tensors are overwritten by every move. Whoever wants to keep a point clones it.
  public let weights: Weights

  /// - Parameter origin: whose names, shapes, types and layout in memory the point has; where it stands first
  public init(at origin: Weights) throws { weights = try origin.clone() }

  /// Moves to Σ coefficient · weights over `terms`, by the rule of `Weights.weightedSum`; to the origin of weight space
  /// without terms.
  ///
  /// - Throws: `FileError` when a term has other names, shapes or types.
  public func move(to terms: [Weights.Term]) throws { try weights.overwrite(withSumOf: terms) }
}
