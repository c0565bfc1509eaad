import Torch

/// Stochastic depth (Huang et al. 2016): in training, leaves a residual branch out for each example with `probability`,
/// and scales the others to keep the mean; does nothing in the other modes. Input and output [N, …].
public struct DropPath: Module {
  let dropout: Dropout

  /// - Throws: `TorchError` unless `probability` is at least 0 and below 1.
  public init(_ probability: Double, generator: Generator) throws {
    dropout = try Dropout(probability, generator: generator)
  }

  /// The branch; in training, without that of the examples left out.
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    guard mode == .training, dropout.probability > 0 else { return input }
    let examples = [input.shape[0]] + [Int](repeating: 1, count: input.rank - 1)
    return try input * dropout(.ones(examples, dtype: input.dtype, device: input.device), mode)
  }

  /// Probabilities of `count` layers that grow evenly from 0 to `rate`, as in timm and torchvision.
  static func probabilities(_ count: Int, upTo rate: Double) -> [Double] {
    (0..<count).map { count > 1 ? rate * Double($0) / Double(count - 1) : 0 }
  }
}
