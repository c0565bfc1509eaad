import Support
import TestSupport
import Testing
import Torch
import Weights

@testable import Networks

@Suite struct PretrainedNetworkTests {
  @Test(arguments: ["4-7", "7-4", "14-2"]) func positionEmbeddingsAreInterpolatedAsByTheReferences(_ name: String)
    throws
  {
    let fixture = try Fixture("position-embeddings")
    let size = try #require(name.split(separator: "-").last.flatMap { Int($0) })
    let input = try fixture["\(name)/input"]
    let timm = try #require(try PositionEmbedding.resampled(input, toGridOf: size))
    #expect(try relativeError(timm, fixture["\(name)/timm"]) < 1e-6)
    let openCLIP = try #require(try PositionEmbedding.resampled(input[0], toGridOf: size))
    #expect(try relativeError(openCLIP, fixture["\(name)/open_clip"]) < 1e-6)
  }

  @Test func anEmbeddingOfNoSquareGridIsLeftAsItIs() throws {
    #expect(try PositionEmbedding.resampled(.zeros([1, 7, 4]), toGridOf: 2) == nil)
    #expect(try PositionEmbedding.resampled(.zeros([7]), toGridOf: 2) == nil)
    let network = try #require(try Oracle.network(Fixture("vit")) as? VisionTransformer)
    let odd = Weights([("pos_embed", try Tensor.zeros([1, 7, 24]))])
    let (weights, messages) = try network.adapted(odd)
    #expect(weights["pos_embed"]?.shape == [1, 7, 24])
    #expect(messages.isEmpty)
  }

  @Test(arguments: ["vit", "clip"]) func anotherPictureSizeIsAdaptedToAndSaid(_ name: String) throws {
    let fixture = try Fixture(name)
    let generator = try Generator(seed: 0)
    let network: any PretrainedNetwork =
      name == "vit"
      ? try VisionTransformer(imageSize: 28, patch: 4, width: 24, depth: 2, heads: 3, classes: 10, generator: generator)
      : try CLIPVision(
        imageSize: 28, patch: 4, width: 24, depth: 2, heads: 3, features: 12, classes: 10, generator: generator)
    let (weights, messages) = try network.adapted(fixture.part("weights/"))
    try network.load(weights)
    let embedding = name == "vit" ? "pos_embed" : "visual.positional_embedding"
    #expect(messages == ["\(embedding): interpolated from 4×4 patches to 7×7"])
    #expect(try network(.zeros([2, 3, 28, 28]), .evaluation).shape == [2, 10])
    // Nothing else has changed.
    for (name, tensor) in weights where name != embedding {
      #expect(try tensor.isIdentical(to: fixture["weights/\(name)"]))
    }
  }

  @Test func ownWeightsNeedNoAdapting() throws {
    for name in ["vit", "convnext", "clip"] {
      let fixture = try Fixture(name)
      let network = try #require(try Oracle.network(fixture) as? any PretrainedNetwork)
      let (weights, messages) = try network.adapted(fixture.part("weights/"))
      #expect(messages.isEmpty, "\(messages)")
      #expect(try weights.isIdentical(to: fixture.part("weights/")))
      #expect(network.weights.names.contains { $0.hasPrefix(network.headPrefix) })
    }
  }

  @Test func namesAreMappedInBothDirections() throws {
    let torchvision = try Fixture("convnext-torchvision")
    let convNeXt = try #require(try Oracle.network(torchvision) as? ConvNeXt)
    try expectRoundTrip(convNeXt.otherNames[0], torchvision.part("weights/"))
    let transformers = try Fixture("clip-transformers")
    let clip = try #require(try Oracle.network(transformers) as? CLIPVision)
    try expectRoundTrip(clip.otherNames[0], transformers.part("weights/"))
  }

  private func expectRoundTrip(_ scheme: NamingScheme, _ theirs: Weights) throws {
    let ours = try scheme.imported(theirs)
    #expect(!scheme.describes(ours) && scheme.describes(theirs))
    let back = try scheme.exported(ours)
    #expect(Set(back.names) == Set(theirs.names))
    for (name, tensor) in back {
      #expect(try tensor.isIdentical(to: #require(theirs[name])), "\(name)")
    }
  }

  @Test func theVisionTowerIsFoundInTheFilesPeopleHave() throws {
    let fixture = try Fixture("clip-transformers")
    let network = try #require(try Oracle.network(fixture) as? CLIPVision)
    let nested = fixture.part("weights/")
    let expected = try network.adapted(nested).weights
    // transformers 5 saves a `CLIPVisionModel` without the outer name; a whole CLIP has its texts' side too.
    let prefix = "vision_model."
    let plain = Weights(
      nested.map { ($0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0, $1) })
    var whole = nested
    whole["text_model.final_layer_norm.weight"] = try .ones([4])
    whole["logit_scale"] = try .ones([])
    // open_clip's tower saved by itself.
    let tower = Weights(
      expected.compactMap { name, tensor in
        name.hasPrefix("visual.") ? (String(name.dropFirst(7)), tensor) : nil
      })
    for (file, count, sentence) in [
      (plain, expected.count, "names mapped from transformers's"),
      (whole, expected.count, "2 tensors left out that classifying pictures does not need"),
      (tower, expected.count - 2, "names mapped from open_clip's vision tower alone"),
    ] {
      let (weights, messages) = try network.adapted(file)
      #expect(weights.count == count)
      #expect(messages.contains(sentence), "\(messages)")
      for (name, tensor) in weights {
        #expect(try tensor.isIdentical(to: #require(expected[name])), "\(name)")
      }
    }
  }

  @Test func textsBecomeAClassifier() throws {
    let fixture = try Fixture("zero-shot")
    let network = try #require(try Oracle.network(Fixture("clip-zero-shot")) as? CLIPVision)
    for scale in ["logit_scale", nil] {
      var texts = Weights([("class_embeddings", try fixture["class_embeddings"])])
      if let scale { texts[scale] = try fixture[scale] }
      try network.loadClasses(texts)
      let features = try fixture["features"]
      let lengths = try features.norm(dimensions: [1], keep: true)
      let logits = try network.head(features / lengths, .evaluation)
      #expect(try relativeError(logits, fixture["logits"]) < 1e-5)
      // The same in the file of the tower.
      let (adapted, messages) = try network.adapted(texts)
      #expect(messages.first == "the zero-shot classifier made from class_embeddings")
      #expect(try adapted.names == ["head.weight"] && adapted.tensors[0].isIdentical(to: network.head.weight.value))
    }
    let linear = try #require(try Oracle.network(Fixture("clip")) as? CLIPVision)
    let wrong = Weights([("class_embeddings", try Tensor.zeros([10, 11]))])
    for (network, weights, words) in [
      (network, wrong, "class_embeddings is [10, 11], expected [10, 12]"),
      (network, Weights(), "the zero-shot head needs class_embeddings, a row of text features for every class"),
      (linear, fixture.tensors, "the head is a linear one, which needs no class_embeddings; choose the zero-shot head"),
    ] {
      #expect {
        try network.loadClasses(weights)
      } throws: {
        $0 is FileError && "\($0)".contains(words)
      }
    }
  }

  @Test func aTowerWithoutProjectionTakesFilesThatHaveOne() throws {
    let fixture = try Fixture("clip")
    let network = try CLIPVision(
      imageSize: 16, patch: 4, width: 24, depth: 2, heads: 3, features: nil, classes: 10,
      generator: Generator(seed: 0))
    let (weights, messages) = try network.adapted(fixture.part("weights/"))
    #expect(weights["visual.proj"] == nil && messages.count == 1)
    #expect(network.head.weight.value.shape == [10, 24])
    #expect(try network(.zeros([2, 3, 16, 16]), .evaluation).shape == [2, 10])
  }
}

@Suite struct DropPathTests {
  @Test func aBranchIsLeftOutForWholeExamples() throws {
    let dropPath = try DropPath(0.25, generator: Generator(seed: 1))
    let output = try dropPath(.ones([4000, 3, 2]), .training).reshape([4000, 6])
    let rows = try output.sum([1])
    #expect(try rows.equals(0).or(rows.equals(8)).all().intItem() == 1)
    let kept = try rows.countNonzero().item() / 4000
    #expect(abs(kept - 0.75) < 5 * (0.75 * 0.25 / 4000).squareRoot())
    #expect(try dropPath(.ones([3, 2]), .evaluation).isIdentical(to: .ones([3, 2])))
  }

  @Test func theRateGrowsOverTheBlocks() throws {
    let network = try ConvNeXt(depths: [1, 2], width: 4, dropPath: 0.5, classes: 3, generator: Generator(seed: 0))
    #expect(network.stages.flatMap(\.blocks).map(\.dropPath.dropout.probability) == [0, 0.25, 0.5])
    let input = try Tensor.normal([6, 3, 32, 32], generator: Generator(seed: 1))
    for block in network.stages.flatMap(\.blocks) { block.gamma.value = try block.gamma.value.onesLike() }
    let outputs = try (0..<2).map { _ in try network(input, .training) }
    #expect(try !outputs[0].isIdentical(to: outputs[1]))
    #expect(try network(input, .evaluation).isIdentical(to: network(input, .evaluation)))
  }
}
