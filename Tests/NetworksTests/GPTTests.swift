import Support
import TestSupport
import Testing
import Torch
import Weights

@testable import Networks

@Suite struct GPTTests {
  private struct Sizes: Decodable {
    // The keys are transformers'.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    var n_layer, n_embd, n_head, n_positions, vocab_size: Int
  }

  private func network(_ fixture: Fixture, context: Int? = nil, dropout: Double = 0) throws -> GPT {
    let sizes: Sizes = try fixture.setting("config")
    let network = try GPT(
      vocabulary: sizes.vocab_size, context: context ?? sizes.n_positions, depth: sizes.n_layer, width: sizes.n_embd,
      heads: sizes.n_head, dropout: dropout, generator: Generator(seed: 0))
    if context == nil { try network.load(fixture.part("weights/").clone()) }
    return network
  }

  private func gradients(_ network: GPT, _ loss: (GPT) throws -> Tensor) throws -> Weights {
    for (_, parameter) in network.parameters() { try parameter.value.setRequiresGradient(true) }
    let loss = try loss(network)
    try loss.backward()
    var found = Weights()
    found["loss"] = loss
    for (name, parameter) in network.parameters() { found["gradients/\(name)"] = try parameter.value.gradient() }
    return found
  }

  @Test func logitsLossAndGradientsAgreeWithTransformers() throws {
    let fixture = try Fixture("gpt")
    let input = try fixture["input"]
    let theirs = fixture.tensors.filter { name, _ in name == "loss" || name.hasPrefix("gradients/") }
    let plain = try network(fixture)
    #expect(try relativeError(withoutGradients { try plain(input, .evaluation) }, fixture["logits_eval"]) < 1e-5)
    let ours = try gradients(plain) {
      let logits = try $0(input, .training)
      #expect(try relativeError(logits, fixture["logits_train"]) < 1e-5)
      return try logits.flatten(from: 0, to: 1).crossEntropy(fixture["labels"].flatten())
    }
    #expect(try deviations(ours, theirs).isEmpty)
  }

  /// The short way to the loss gives what the way through the logits gives.
  @Test(arguments: [0, 0.1]) func fusedLossAgreesWithTransformers(_ smoothing: Double) throws {
    let fixture = try Fixture("gpt")
    let prefix = smoothing > 0 ? "smoothed_" : ""
    let ours = try gradients(network(fixture)) {
      try $0.meanCrossEntropy(
        fixture["input"], labels: fixture["labels"], labelSmoothing: smoothing, .training)
    }
    let names = ours.names
    let theirs = Weights(try names.map { ($0, try fixture[prefix + $0]) })
    let found = try deviations(ours, theirs)
    #expect(found.isEmpty, "\(found)")
  }

  /// More rows than a block has, in float32 and under autocast.
  @Test(arguments: [nil, DType.bfloat16]) func fusedLossWorksInBlocks(_ type: DType?) throws {
    let generator = try Generator(seed: 1)
    let (rows, classes) = (70, 1 << 13)
    let x = try Tensor.normal([7, 10, 16], generator: generator)
    let table = try Tensor.normal([classes, 16], generator: generator)
    let labels = try Tensor.integers(in: 0..<classes, shape: [7, 10], generator: generator)
    var found: [[Tensor]] = []
    for isFused in [true, false] {
      let leaves = [try x.clone(), try table.clone()]
      for leaf in leaves { try leaf.setRequiresGradient(true) }
      let loss = try withAutocast(type) {
        isFused
          ? try leaves[0].linearCrossEntropy(leaves[1], labels: labels)
          : try leaves[0].linear(leaves[1]).to(.float32).view([rows, classes]).crossEntropy(labels.flatten())
      }
      try loss.backward()
      found.append([loss] + (try leaves.compactMap { try $0.gradient() }))
    }
    for (ours, plain) in zip(found[0], found[1]) {
      #expect(try relativeError(ours, plain) < (type == nil ? 1e-5 : 1e-2))
    }
    let error = #expect(throws: TorchError.self) { try x.linearCrossEntropy(table, labels: labels[0]) }
    #expect(error?.description.contains("70 rows and labels of shape [10]; expected one a row") == true)
    #expect(autocastType() == nil)
    #expect(withAutocast(type) { autocastType() } == type)
  }

  @Test func namesAreThoseOfTransformers() throws {
    let fixture = try Fixture("gpt")
    #expect(try Set(network(fixture).weights.names) == Set(fixture.part("weights/").names))
  }

  /// `GPT2Model`'s names, older files' masks, the second copy of the table, a longer context.
  @Test func otherFormsOfTheFileAreAdapted() throws {
    let fixture = try Fixture("gpt")
    let weights = fixture.part("weights/")
    var bare = Weights(weights.map { (String($0.dropFirst("transformer.".count)), $1) })
    bare["h.0.attn.bias"] = try .ones([1, 1, 12, 12])
    bare["h.0.attn.masked_bias"] = try .full([], -1e4)
    bare["lm_head.weight"] = try fixture["weights/transformer.wte.weight"].clone()
    let short = try network(fixture, context: 10)
    let (adapted, messages) = try short.adapted(bare)
    try short.load(adapted)
    #expect(messages.count == 1 && messages[0].contains("the first 10 of 12 positions"))
    #expect(try relativeError(short(fixture["input"], .evaluation), fixture["logits_eval"]) < 1e-5)
    #expect(try network(fixture).adapted(weights).messages.isEmpty)
    bare["lm_head.weight"] = try .zeros([50, 24])
    let error = #expect(throws: FileError.self) { try short.adapted(bare) }
    #expect(error?.description.contains("this network has one table for both, as GPT-2 does") == true)
  }

  @Test func initialisationIsTheReferences() throws {
    let network = try GPT(
      vocabulary: 300, context: 100, depth: 8, width: 128, heads: 4, generator: Generator(seed: 0))
    for (name, parameter) in network.parameters() {
      let value = parameter.value
      if name.hasSuffix("bias") {
        #expect(try value.norm().item() == 0)
      } else if value.rank == 1 {
        #expect(try (value - 1).norm().item() == 0)
      } else {
        let expected = name.hasSuffix("c_proj.weight") ? 0.02 / 4 : 0.02
        #expect(abs(try value.standardDeviation([0, 1]).item() / expected - 1) < 0.03, "\(name)")
      }
    }
  }

  /// Dropout of next to nothing takes the other way through the attention and gives the same.
  @Test func attentionWithDropoutIsTheSameAttention() throws {
    let fixture = try Fixture("gpt")
    let network = try network(fixture, context: 12, dropout: 1e-9)
    try network.load(fixture.part("weights/"))
    #expect(try relativeError(network(fixture["input"], .training), fixture["logits_train"]) < 1e-5)
    let dropping = try self.network(fixture, context: 12, dropout: 0.5)
    try dropping.load(fixture.part("weights/"))
    #expect(try relativeError(dropping(fixture["input"], .training), fixture["logits_train"]) > 0.1)
    #expect(try relativeError(dropping(fixture["input"], .evaluation), fixture["logits_eval"]) < 1e-5)
  }

  /// Under autocast other operators attend; they look no further ahead either.
  @Test(arguments: [nil, DType.bfloat16]) func tokensSeeNothingThatFollows(_ type: DType?) throws {
    let fixture = try Fixture("gpt")
    let network = try network(fixture)
    let changed = try fixture["input"].clone()
    try changed.select(1, 7).fill(3)
    let logits = try [fixture["input"], changed].map { input in
      try withAutocast(type) { try withoutGradients { try network(input, .evaluation).to(.float32) } }
    }
    #expect(try relativeError(logits[0], fixture["logits_eval"]) < (type == nil ? 1e-5 : 3e-2))
    let before = try logits.map { try $0.narrow(1, from: 0, count: 7).contiguous() }
    #expect(try before[0].isIdentical(to: before[1]))
    #expect(try relativeError(logits[0], logits[1]) > 0.05)
  }

  @Test func networksThatCannotBeAreRefused() throws {
    let generator = try Generator(seed: 0)
    for (vocabulary, context, depth, width, heads) in [
      (0, 8, 1, 8, 2), (8, 0, 1, 8, 2), (8, 8, 0, 8, 2), (8, 8, 1, 0, 2), (8, 8, 1, 8, 3), (8, 8, 1, 8, 0),
    ] {
      let error = #expect(throws: TorchError.self) {
        try GPT(
          vocabulary: vocabulary, context: context, depth: depth, width: width, heads: heads, generator: generator)
      }
      let words = "width \(width), heads \(heads): all must be 1 or more, and the heads divide the width"
      #expect(error?.description.contains(words) == true)
    }
    let network = try network(Fixture("gpt"))
    let error = #expect(throws: TorchError.self) { try network(.zeros([1, 13], dtype: .int64), .evaluation) }
    #expect(error?.description.contains("a sequence of 13 tokens; expected at most 12") == true)
  }
}
