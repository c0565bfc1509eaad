import Checkpoints
import Torch

/// Weights that stand at one point of weight space after the other, always in the same memory.
public final class MovingPoint {
  /// The tensors are overwritten by every move. Whoever wants to keep a point clones it.
  public let weights: Weights
  private let floating: [Tensor]
  private let floatingNames: [String]

  /// - Parameter origin: whose names, shapes, types and layout in memory the point has; where it stands first
  public init(at origin: Weights) throws {
    weights = try origin.clone()
    floatingNames = zip(weights.names, weights.tensors).filter { $1.dtype.isFloatingPoint }.map(\.0)
    floating = floatingNames.compactMap { [weights] in weights[$0] }
  }

  /// Moves to Σ coefficient · weights over `terms`, in the tensors' own type.
  ///
  /// A term of coefficient 1 beside others of 0 is copied exactly. Integer tensors (BatchNorm's counters) are those of the term with
  /// the largest coefficient.
  /// - Throws: `CheckpointError` when a term has other names, shapes or types.
  public func move(to terms: [(coefficient: Double, weights: Weights)]) throws {
    let terms = terms.filter { $0.coefficient != 0 }
    guard let main = terms.max(by: { $0.coefficient < $1.coefficient }) else {
      return try withoutGradients { try floating.zeroInPlace() }
    }
    for term in terms { try weights.requireSameLayout(as: term.weights) }
    func tensors(_ weights: Weights) -> [Tensor] { floatingNames.compactMap { weights[$0] } }
    try withoutGradients {
      for (name, tensor) in zip(weights.names, weights.tensors) where !tensor.dtype.isFloatingPoint {
        if let value = main.weights[name] { try tensor.copy(from: value) }
      }
      guard !floating.isEmpty else { return }
      try floating.copyInPlace(from: tensors(terms[0].weights))
      if terms.count == 2, abs(terms[0].coefficient + terms[1].coefficient - 1) < 1e-12 {
        return try floating.lerpInPlace(tensors(terms[1].weights), weight: terms[1].coefficient)
      }
      if terms[0].coefficient != 1 { try floating.scaleInPlace(by: terms[0].coefficient) }
      for term in terms.dropFirst() { try floating.addInPlace(tensors(term.weights), scale: term.coefficient) }
    }
  }
}
