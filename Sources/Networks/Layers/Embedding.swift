import Torch

/// Rows of a table; integer input of any shape [...], output [..., channels].
public struct Embedding: Module {
  /// [count, channels]
  public let weight: Parameter

  /// - Parameter deviation: of the normal distribution that rows are drawn from; 1 in PyTorch, 0.02 in GPT-2.
  public init(_ count: Int, _ channels: Int, deviation: Double = 1, generator: Generator) throws {
    weight = Parameter(try Initialisation.normal(deviation).tensor([count, channels], generator: generator))
  }

  /// A row for each index.
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor { try .embedding(weight.value, input) }
}
