import Torch

/// A layer whose outputs are linear in what it is given: a matrix product, or a convolution, which is one on the patches that its kernel
/// sees.
public struct LinearLayer {
  /// As in an `Observation`: `layer1.0.conv1`.
  public let name: String
  /// The name of its weight.
  public let weight: String
  /// Whether the weight is [inputs, outputs], as GPT-2 has it, instead of [outputs, inputs, …].
  public let isTransposed: Bool
  private let patches: (kernel: [Int], stride: Int, padding: Int)?

  fileprivate init?(_ name: String, _ module: any Module) {
    var kind = "weight"
    switch module {
    case is Linear: (isTransposed, patches) = (false, nil)
    case is TransposedLinear: (isTransposed, patches) = (true, nil)
    case let convolution as Conv2d where convolution.groups == 1:
      isTransposed = false
      patches = (Array(convolution.weight.value.shape.suffix(2)), convolution.stride, convolution.padding)
    case let attention as SelfAttention where attention.naming == .openCLIP:
      // Its queries, keys and values are made by no module of their own, from what it is given.
      (kind, isTransposed, patches) = ("in_proj_weight", false, nil)
    default: return nil
    }
    self.name = name
    weight = name.isEmpty ? kind : "\(name).\(kind)"
  }

  /// What the layer was given as rows, each of which one place's outputs are made of: [n, inputs].
  public func rows(_ input: Tensor) throws -> Tensor {
    guard let patches else { return try input.reshape([-1, input.size(-1)]) }
    let columns = try input.unfold(
      patches.kernel, stride: [patches.stride, patches.stride], padding: [patches.padding, patches.padding])
    return try columns.transpose(1, 2).reshape([-1, columns.size(1)])
  }
}

extension Module {
  /// The network's linear layers and convolutions (without groups), in the order of declaration.
  public func linearLayers() -> [LinearLayer] {
    var found: [LinearLayer] = []
    visit(self, module: { name, module in if let layer = LinearLayer(name, module) { found.append(layer) } })
    return found
  }
}
