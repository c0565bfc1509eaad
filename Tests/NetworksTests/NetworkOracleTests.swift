import TestSupport
import Testing
import Torch
import Weights

@testable import Networks

@Suite struct NetworkOracleTests {
  private static let names = Oracle.names + Oracle.architectures.keys.sorted()
  private static let otherNames = Oracle.otherNames.keys.sorted()

  @Test(arguments: names + otherNames, [MemoryFormat.contiguous, .channelsLast])
  func forwardAndBackwardAgreeWithPyTorch(_ name: String, _ format: MemoryFormat) throws {
    let fixture = try Fixture(name)
    let network = try Oracle.network(fixture)
    let isRenamed = Oracle.otherNames[name] != nil
    func adapted(_ weights: Weights) throws -> Weights {
      guard isRenamed, let network = network as? any PretrainedNetwork else { return weights }
      return try network.adapted(weights).weights
    }
    let weights = try adapted(fixture.part("weights/"))
    try network.load(weights.clone())
    try network.move(to: .cpu, format: format)
    let input = try fixture["input"].contiguous(format)
    var ours = Weights()

    ours["logits_eval"] = try withoutGradients { try network(input, .evaluation) }
    #expect(try network.weights.isIdentical(to: weights.ordered(as: network)), "evaluation changed the network")

    let trainable = network.parameters().filter(\.parameter.isTrainable)
    for (_, parameter) in trainable { try parameter.value.setRequiresGradient(true) }
    let logits = try network(input, .training)
    let loss = try logits.crossEntropy(fixture["labels"])
    try loss.backward()
    ours["logits_train"] = logits
    ours["loss"] = loss
    for (name, parameter) in trainable { ours["gradients/\(name)"] = try parameter.value.gradient() }
    for (name, parameter) in network.parameters() where !parameter.isTrainable {
      ours["buffers/\(name)"] = parameter.value
    }
    let gradients = try adapted(fixture.part("gradients/"))
    let theirs = Weights(
      fixture.tensors.filter { name, _ in name == "loss" || name.hasPrefix("logits_") || name.hasPrefix("buffers/") }
        .pairs + gradients.pairs.map { ("gradients/" + $0, $1) })
    // The fixtures of the architectures are of this accuracy; a bias before BatchNorm has a gradient of nothing but
    // rounding.
    let isLoose = Oracle.architectures[name] != nil || isRenamed
    let found = try deviations(ours, theirs, tolerance: isLoose ? 1e-4 : 1e-5, floor: isLoose ? 1e-2 : 1e-12)
    #expect(found.isEmpty, "\(found)")
  }

  @Test(arguments: names) func namesStandInPyTorchsOrder(_ name: String) throws {
    let network = try Oracle.network(Fixture(name))
    #expect(try network.weights.names == InitialisationOracle.names(of: name))
  }

  @Test func weightsOfAnotherNetworkAreRefusedWithEveryMismatch() throws {
    let fixture = try Fixture("resnet-111")
    let network = try Oracle.network(fixture)
    let before = try network.weights.clone()
    var other = fixture.part("weights/")
    other["conv1.weight"] = nil
    other["fc.weight"] = try .zeros([100, 32])
    other["fc.bias"] = try .zeros([10], dtype: .float64)
    other["bn1.num_batches_tracked"] = try .zeros([])
    other["head.weight"] = try .zeros([2, 3])
    #expect {
      try network.load(other)
    } throws: { error in
      let text = String(describing: error)
      return [
        "conv1.weight [8, 3, 3, 3] float32 is missing",
        "fc.weight is [100, 32] float32, expected [10, 32] float32",
        "fc.bias is [10] float64, expected [10] float32",
        "bn1.num_batches_tracked is [] float32, expected [] int64",
        "head.weight [2, 3] float32 is not expected",
      ].allSatisfy(text.contains)
    }
    #expect(try network.weights.isIdentical(to: before))
  }

  @Test func networksThatCannotBeBuiltAreRefused() throws {
    let generator = try Generator(seed: 0)
    for (blocks, width) in [([], 8), ([1, 1, 1, 1, 1], 8), ([1, 0], 8), ([1], 0)] {
      Self.expectRefused("blocks \(blocks) at width \(width): one to four stages of one or more blocks are needed") {
        try ResNet(blocks: blocks, width: width, classes: 10, generator: generator)
      }
    }
    for (blocks, growth) in [([], 8), ([1, 0], 8), ([1], 0)] {
      Self.expectRefused("blocks \(blocks) at growth \(growth): one or more blocks of one or more layers are needed") {
        try DenseNet(blocks: blocks, growth: growth, classes: 10, generator: generator)
      }
    }
    Self.expectRefused("VGG", "width 0; expected 1 or more") {
      try VGG(.vgg11, batchNorm: true, width: 0, classes: 10, generator: generator)
    }
    for (size, patch, heads) in [(15, 4, 3), (16, 4, 5), (16, 0, 3), (0, 4, 3), (16, 4, 0)] {
      let sizes = "heads \(heads), patches of \(patch) in pictures of \(size) pixels"
      let words = min(size, patch, heads) > 0 ? "the patch must divide the picture" : "all must be 1 or more"
      Self.expectRefused("VisionTransformer", sizes, words) {
        try VisionTransformer(
          imageSize: size, patch: patch, width: 24, depth: 1, heads: heads, classes: 10, generator: generator)
      }
      Self.expectRefused("CLIPVision", sizes, words) {
        try CLIPVision(
          imageSize: size, patch: patch, width: 24, depth: 1, heads: heads, classes: 10, generator: generator)
      }
    }
    for (depths, width) in [([], 8), ([1, 0], 8), ([1], 0)] {
      Self.expectRefused("depths \(depths) at width \(width), patch 4: one or more stages of one or more blocks") {
        try ConvNeXt(depths: depths, width: width, classes: 10, generator: generator)
      }
    }
    for probability in [-0.1, 1, .nan] {
      Self.expectRefused("a probability of \(probability); expected 0 or more and below 1") {
        try Dropout(probability, generator: generator)
      }
    }
  }

  private static func expectRefused(_ words: String..., by body: () throws -> any Module) {
    #expect {
      try body()
    } throws: { error in
      error is TorchError && words.allSatisfy("\(error)".contains)
    }
  }

  /// Each statistic must become the plain average of the batches' own, whatever it was before.
  @Test func reestimationAveragesOverTheBatches() throws {
    let fixture = try Fixture("resnet-111")
    let network = try #require(try Oracle.network(fixture) as? ResNet)
    try network.load(fixture.part("weights/").clone())
    let batches = try (0..<3).map { try fixture["batch.\($0).input"] }
    try withoutGradients {
      for (index, batch) in batches.enumerated() { _ = try network(batch, .reestimation(batch: index)) }
      let seen = try batches.map { try network.conv1($0, .evaluation).transpose(0, 1).flatten(from: 1) }
      let mean = try Tensor.stack(seen.map { try $0.mean([1]) }).mean([0])
      let variance = try Tensor.stack(seen.map { try $0.variance([1]) }).mean([0])
      #expect(try relativeError(network.bn1.runningMean.value, mean) < 1e-5)
      #expect(try relativeError(network.bn1.runningVar.value, variance) < 1e-5)
      #expect(try network.bn1.weight.value.isIdentical(to: fixture["weights/bn1.weight"]))
    }
  }
}

extension Weights {
  fileprivate var pairs: [(String, Tensor)] { Array(zip(names, tensors)) }

  /// The same tensors in the order of the network's names.
  fileprivate func ordered(as network: any Module) -> Weights {
    Weights(network.weights.names.compactMap { name in self[name].map { (name, $0) } })
  }
}
