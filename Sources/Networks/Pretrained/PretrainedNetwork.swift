import Torch
import Weights

/// A network that can start from the files of a reference implementation.
public protocol PretrainedNetwork: Module {
  /// How the names of its classifier start: `head.`
  var headPrefix: String { get }

  /// Weights of a reference's file under this network's names, its position embedding interpolated to this network's
  /// pictures, and what was done to them, one sentence each. What does not fit otherwise is left as it is, for `load`
  /// to refuse.
  func adapted(_ weights: Weights) throws -> (weights: Weights, messages: [String])

  /// What other libraries call this network's tensors, so that weights can be written for them; by default there is
  /// none.
  var otherNames: [NamingScheme] { get }
}

extension PretrainedNetwork {
  /// None.
  public var otherNames: [NamingScheme] { [] }
  /// The weights as they are.
  public func adapted(_ weights: Weights) throws -> (weights: Weights, messages: [String]) { (weights, []) }
}

extension PositionEmbedding {
  /// The weights with the embedding under `name` interpolated to the number of tokens of `own`, and a sentence when it
  /// was.
  static func fit(_ name: String, of weights: Weights, to own: Tensor) throws -> (weights: Weights, messages: [String])
  {
    guard let embedding = weights[name], embedding.shape != own.shape, embedding.rank == own.rank,
      let (former, size) = gridSize(embedding).flatMap({ former in gridSize(own).map { (former, $0) } }),
      let resampled = try resampled(embedding, toGridOf: size)
    else { return (weights, []) }
    var weights = weights
    weights[name] = resampled
    return (weights, ["\(name): interpolated from \(former)×\(former) patches to \(size)×\(size)"])
  }
}
