import TestSupport
import Testing
import Torch

@testable import Networks

@Suite struct ObservationTests {
  static func network() throws -> ResNet {
    try ResNet(blocks: [1, 2], width: 4, classes: 3, generator: Generator(seed: 1))
  }

  static func pictures() throws -> Tensor { try .normal([2, 3, 8, 8], generator: Generator(seed: 2)) }

  @Test func seesWhatModulesAreGivenAndGive() throws {
    let network = try Self.network()
    var names: [String] = []
    var values: [String: (input: Tensor, output: Tensor)] = [:]
    let logits = try withoutGradients {
      try network.observing(["layer2.1", "layer2.1.conv1", "layer2.1.bn2", "fc", ""]) { seen in
        names.append(seen.name)
        values[seen.name] = (try seen.input.clone(), try seen.output.clone())
      } during: {
        try network(Self.pictures(), .evaluation)
      }
    }
    #expect(names == ["layer2.1.conv1", "layer2.1.bn2", "layer2.1", "fc", ""])
    let block = try #require(values["layer2.1"])
    let norm = try #require(values["layer2.1.bn2"])
    let convolution = try #require(values["layer2.1.conv1"])
    // The observed values fit together as the block's formula says, ReLU in place notwithstanding.
    #expect(try bytes(block.output) == bytes((norm.output + block.input).relu()))
    #expect(try bytes(convolution.input) == bytes(block.input))
    #expect(
      try bytes(convolution.output) == bytes(convolution.input.conv2d(network.layer2[1].conv1.weight.value, padding: 1))
    )
    #expect(try bytes(#require(values["fc"]).input) == bytes(block.output.globalAveragePool()))
    #expect(try bytes(#require(values[""]).output) == bytes(logits))
  }

  @Test(arguments: [
    Architecture.Name.mlp, .resnet, .vgg11BatchNorm, .densenet121, .vit, .clip, .convnext, .gpt,
  ])
  func everyModuleIsSeenOnce(_ name: Architecture.Name) throws {
    var architecture = Architecture(name: name)
    for (option, size) in [Architecture.Option.depth: 2, .width: 24, .heads: 3] where architecture[option] != nil {
      architecture[option] = .integer(size)
    }
    let input: InputShape =
      name.declaration.input == .tokens ? .tokens(vocabulary: 50, context: 8) : .picture(height: 32, width: 32)
    let network = try architecture.makeNetwork(input: input, classes: 5, generator: Generator(seed: 0))
    let example: Tensor =
      name.declaration.input == .tokens
      ? try .zeros([1, 8], dtype: .int64) : try .normal([1, 3, 32, 32], generator: Generator(seed: 2))
    var counts: [String: Int] = [:]
    try withoutGradients {
      let observed = try network.observing(network.observableModules) {
        counts[$0.name, default: 0] += 1
      } during: {
        try network(example, .evaluation)
      }
      // What is joined and spared for speed elsewhere gives the same.
      #expect(try relativeError(observed, network(example, .evaluation)) < 1e-5)
    }
    let left = Set(network.observableModules).subtracting(counts.keys)
    // The table of positions, from which rows are taken without asking.
    #expect(left.isSubset(of: ["transformer.wpe"]), "\(left)")
    #expect(counts.values.allSatisfy { $0 == 1 })
  }

  @Test func nothingIsReportedElsewhere() throws {
    let (network, other) = (try Self.network(), try Self.network())
    var count = 0
    try withoutGradients {
      try network.observing(["fc"]) { _ in
        count += 1
      } during: {
        _ = try other(Self.pictures(), .evaluation)
      }
      _ = try network(Self.pictures(), .evaluation)
    }
    #expect(count == 0)
    let error = #expect(throws: TorchError.self) {
      try network.observing(["layer9"]) { _ in
      } during: {
      }
    }
    #expect(error?.description.contains("no module is called 'layer9'; there are , conv1, bn1,") == true)
  }

  @Test func aReportCanStopThePass() throws {
    struct Enough: Error {}
    let network = try Self.network()
    #expect(throws: Enough.self) {
      try network.observing(["bn1"]) { _ in
        throw Enough()
      } during: {
        _ = try network(Self.pictures(), .evaluation)
      }
    }
  }
}
