import Torch

/// The curve between two linear layers of a transformer; names as in Hugging Face's `hidden_act`.
public enum Activation: String, Codable, Sendable, CaseIterable {
  /// x Φ(x), with Φ the normal distribution function: ViT's and ConvNeXt's
  case gelu
  /// x σ(1.702 x): what OpenAI's CLIP was trained with
  case quickGELU = "quick_gelu"

  /// The curve at each element; input and output of any shape.
  public func callAsFunction(_ input: Tensor) throws -> Tensor {
    switch self {
    case .gelu: try input.gelu()
    case .quickGELU: try input * (input * 1.702).sigmoid()
    }
  }
}
