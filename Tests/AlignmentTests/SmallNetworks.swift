import Networks
import Support
import Torch
import Weights

@testable import Alignment

/// A network of each name, small and at a random point.
struct SmallNetwork {
  let network: any Module
  let input: Tensor
  let symmetry: Symmetry

  init(_ name: Architecture.Name, dtype: DType = .float64) throws {
    let random = try Generator(seed: 3)
    let (architecture, size) =
      switch name {
      case .mlp: (Architecture(name: name, hidden: [7, 5]), 4)
      case .resnet: (Architecture(name: name, blocks: [2, 1], width: 4), 8)
      case .resnet18, .resnet34, .resnet20, .resnet50: (Architecture(name: name, width: 2, stem: .cifar), 16)
      case .vgg11, .vgg16, .vgg11BatchNorm, .vgg16BatchNorm: (Architecture(name: name, width: 2), 32)
      case .densenet121: (Architecture(name: name, width: 4, stem: .cifar), 16)
      case .vit, .vitSmall16, .clip, .clipBase16:
        (Architecture(name: name, width: 12, depth: 2, heads: 3, patch: 4), 8)
      case .convnext, .convnextTiny: (Architecture(name: name, blocks: [1, 2], width: 4, patch: 2), 8)
      default: (Architecture(name: name, width: 12, depth: 2, heads: 3), 0)
      }
    let isText = size == 0
    let network = try architecture.makeNetwork(
      input: isText ? .tokens(vocabulary: 11, context: 6) : .picture(height: size, width: size),
      classes: isText ? 11 : 3, generator: random)
    let input: Tensor =
      isText
      ? try .integers(in: 0..<11, shape: [2, 6], generator: random)
      : try .normal([2, 3, size, size], generator: random)
    try self.init(network, input, dtype, random)
  }

  init(_ network: any Module, _ input: Tensor, _ dtype: DType, _ random: Generator) throws {
    (self.network, self.input) = (network, try input.dtype.isFloatingPoint ? input.to(dtype) : input)
    for (name, parameter) in network.parameters() where parameter.value.dtype.isFloatingPoint {
      // What starts at one value does not tell units apart.
      if parameter.value.rank < 2 {
        let isVariance = name.hasSuffix("running_var")
        parameter.value = try .uniform(parameter.value.shape, generator: random) + (isVariance ? 0.5 : -0.4)
      }
      parameter.value = try parameter.value.to(dtype)
    }
    symmetry = try Symmetry(of: network)
  }

  func output(_ weights: Weights) throws -> Tensor {
    try network.load(weights)
    return try withoutGradients { try network(input, .evaluation) }
  }

  func element(_ seed: UInt64) -> [Permutation] {
    var random = SplitMix64(seed)
    return symmetry.groups.map { Permutation(random: $0.count, using: &random) }
  }
}
