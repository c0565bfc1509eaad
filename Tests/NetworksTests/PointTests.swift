import Support
import TestSupport
import Testing
import Torch
import Weights

@testable import Networks

@Suite struct PointTests {
  private struct Stopped: Error {}

  private static func network(_ seed: UInt64) throws -> ResNet {
    try ResNet(blocks: [1, 2], width: 4, classes: 3, generator: Generator(seed: seed))
  }

  private static func pictures() throws -> Tensor { try .normal([4, 3, 8, 8], generator: Generator(seed: 2)) }

  @Test func aNetworkStandsAtAPointAndGoesBack() throws {
    let (network, other) = (try Self.network(1), try Self.network(2))
    let (own, point) = (network.weights, other.weights)
    let expected = try withoutGradients { try other(Self.pictures(), .evaluation) }
    let found = try network.at(point) {
      let trained = network.parameters().filter(\.parameter.isTrainable)
      #expect(trained.allSatisfy { $0.parameter.value.identity == point[$0.name]?.identity })
      return try withoutGradients { try network(Self.pictures(), .evaluation) }
    }
    #expect(try found.isIdentical(to: expected))
    #expect(zip(network.weights, own).allSatisfy { $0.tensor.identity == $1.tensor.identity })
    #expect(throws: Stopped.self) { try network.at(point) { throw Stopped() } }
    #expect(zip(network.weights, own).allSatisfy { $0.tensor.identity == $1.tensor.identity })
  }

  @Test func aPointKeepsItsStatistics() throws {
    let network = try Self.network(1)
    let point = try Self.network(2).weights
    let before = try point.clone()
    let settled = try network.at(point) {
      _ = try withoutGradients { try network(Self.pictures(), .training) }
      return network.weights
    }
    #expect(try point.isIdentical(to: before))
    #expect(try !#require(settled["bn1.running_mean"]).isIdentical(to: #require(point["bn1.running_mean"])))
    #expect(settled["conv1.weight"]?.identity == point["conv1.weight"]?.identity)
  }

  @Test func weightsOfAnotherNetworkAreRefusedBeforeAnythingHappens() throws {
    let network = try Self.network(1)
    var point = try Self.network(2).weights
    point["fc.bias"] = try .zeros([4])
    let error = #expect(throws: FileError.self) { try network.at(point) { Issue.record("it ran") } }
    #expect(error?.description.contains("fc.bias is [4] float32, expected [3] float32") == true)
  }
}

@Suite struct EvaluationViewTests {
  private static let networks: [@Sendable (Generator) throws -> ResNet] = [
    { try ResNet(blocks: [2, 1], width: 4, classes: 3, generator: $0) },
    { try ResNet(blocks: [1, 2], block: .bottleneck, width: 4, stem: .imagenet, classes: 3, generator: $0) },
  ]

  /// At a random point, so that norms are no identities.
  private static func network(_ index: Int) throws -> ResNet {
    let generator = try Generator(seed: 3)
    let network = try networks[index](generator)
    for (name, parameter) in network.parameters() where parameter.value.rank == 1 {
      parameter.value = try .uniform(parameter.value.shape, generator: generator) + (name.hasSuffix("var") ? 0.5 : -0.4)
    }
    return network
  }

  @Test(arguments: networks.indices, [nil, DType.bfloat16])
  func itIsTheSameFunctionAndFollowsTheWeights(_ index: Int, _ type: DType?) throws {
    let network = try Self.network(index)
    let input = try Tensor.normal([3, 3, 32, 32], generator: Generator(seed: 4))
    let before = try input.clone()
    let first = try #require(try network.evaluationView())
    for _ in 0..<2 {
      let (plain, view) = try withAutocast(type) {
        try withoutGradients { (try network.forward(input, .evaluation), try network(input, .evaluation)) }
      }
      #expect(try relativeError(view, plain) < (type == nil ? 1e-5 : 3e-2))
      #expect(try !view.isIdentical(to: plain), "nothing is folded")
      let again = try withAutocast(type) { try withoutGradients { try first.forward(input, .evaluation) } }
      #expect(try again.isIdentical(to: view))
      network.bn1.weight.value = try network.bn1.weight.value * 2
    }
    #expect(try input.isIdentical(to: before))
  }

  /// Where gradients are asked for or somebody looks on, the layers run one by one.
  @Test func whoLooksOnSeesEveryLayer() throws {
    let network = try Self.network(0)
    let input = try Tensor.normal([3, 3, 32, 32], generator: Generator(seed: 4))
    let plain = try network.forward(input, .evaluation)
    #expect(try network(input, .evaluation).isIdentical(to: plain))
    var seen = 0
    let observed = try withoutGradients {
      try network.observing(["layer1.0.bn1"]) { _ in
        seen += 1
      } during: {
        try network(input, .evaluation)
      }
    }
    #expect(try observed.isIdentical(to: plain) && seen == 1)
    #expect(try network.fc.evaluationView() == nil)
  }
}
