import Checkpoints
import Datasets
import Foundation
import Merging
import Networks
import Support
import TestSupport
import Testing
import Torch
import Training
import Weights

@testable import DataMerging

/// Three multilayer perceptrons, each with its own data, as the fixture has them.
struct FusionData {
  let fixture: Fixture
  let base: Weights
  let models: [Weights]

  /// Tensors in place of files.
  struct Examples: ExampleSource {
    let inputs, labels: Tensor
    let classes: Int
    var count: Int { inputs.shape[0] }
    var device: Device { .cpu }
    func batch(_ range: Range<Int>) throws -> ExampleBatch {
      try ExampleBatch(inputs: inputs[range], labels: labels[range])
    }
  }

  init() throws {
    fixture = try Fixture("fusion")
    base = fixture.part("data/base/")
    models = (0..<3).map { [fixture] in fixture.part("data/model.\($0)/") }
  }

  func network() throws -> MLP {
    let sizes: [Int] = try fixture.setting("sizes")
    return try MLP(
      inputs: sizes[0], hidden: Array(sizes[1..<sizes.count - 1]), classes: sizes[sizes.count - 1],
      generator: Generator(seed: 0))
  }

  func data(_ index: Int) throws -> Examples {
    try Examples(inputs: fixture["data/inputs.\(index)"], labels: fixture["data/labels.\(index)"], classes: 4)
  }

  /// A merge of the three, with the whole of each one's head a part of it, as the fixture has it.
  func merge(_ name: String, _ values: [String: [Double]], models: [Weights]? = nil, one: Bool = false) throws
    -> DataMerge
  {
    let method = try #require(DataMethod.all.first { $0.declaration.name == name }).declaration
    let models = models ?? self.models
    let tasks = try (0..<(one ? 1 : models.count)).map {
      DataMerge.Task(name: "\($0)", network: UnheadedMLP(network: try network()), data: try data($0))
    }
    return try DataMerge(
      models, base: method.base == .none ? nil : base, tasks: tasks, method: method,
      settings: MergeSettings(values, for: method, models: models.count))
  }

  func result(_ name: String, _ values: [String: [Double]], models: [Weights]? = nil, one: Bool = false) throws
    -> Weights
  {
    let method = try #require(DataMethod.all.first { $0.declaration.name == name })
    return try method(merge(name, values, models: models, one: one)).weights
  }
}

/// A network without a head of its own.
private struct UnheadedMLP: PretrainedNetwork, CustomReflectable {
  let network: MLP
  var headPrefix: String { "none." }
  var customMirror: Mirror { Mirror(reflecting: network) }
  func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor { try network(input, mode) }
}

@Suite struct DataMergingTests {
  @Test(
    arguments: [
      ("fisher", "fisher", [:]),
      ("fisher", "fisher-weighted", ["weight": [0.5, 0.25, 0.75], "normalize": [0]]),
      ("regmean", "regmean", [:]), ("regmean", "regmean-full", ["off_diagonal": [0.95]]),
      ("regmean_plus", "regmean_plus", [:]),
      ("adamerging", "adamerging-layer", ["steps": [5], "rate": [0.05], "batch": [12]]),
      ("adamerging", "adamerging-task", ["steps": [5], "rate": [0.05], "batch": [12], "coefficients": [1]]),
    ] as [(String, String, [String: [Double]])])
  func equalsFusionBench(_ name: String, _ key: String, _ values: [String: [Double]]) throws {
    let data = try FusionData()
    let merged = try data.result(name, values)
    // Adam's first steps divide what gradients in float32 are by what they are.
    let tolerance = name == "adamerging" ? 1e-5 : 2e-6
    let found = try deviations(merged, data.fixture.part("data/\(key)/"), tolerance: tolerance)
    #expect(found.isEmpty, "\(key): \(found)")
  }

  @Test func fisherOfScaledModelsEqualsTheFormula() throws {
    let data = try FusionData()
    let merged = try dynamicFisherMerge(data.merge("df_merge", [:]), [0.3, 0.5, 0.8])
    #expect(try deviations(merged, data.fixture.part("data/df_merge/"), tolerance: 2e-6).isEmpty)
  }

  @Test func fisherInformationEqualsAutograd() throws {
    let data = try FusionData()
    let network = try data.network()
    for (labels, key) in [(FisherLabels.expected, "fisher.0"), (.given, "fisher-labels.0")] {
      try network.load(data.models[0])
      let found = try diagonalFisher(
        of: network, on: data.data(0), examples: Array(0..<12), labels: labels, generator: Generator(seed: 1))
      #expect(try deviations(found, data.fixture.part("data/\(key)/"), tolerance: 1e-5).isEmpty)
    }
    // Many draws come near what they are drawn from.
    let drawn = try diagonalFisher(
      of: network, on: data.data(0), examples: (0..<3000).map { $0 % 12 }, labels: .sampled,
      generator: Generator(seed: 1))
    let wide = try #require(drawn["layers.2.bias"])
    #expect(try relativeError(wide, data.fixture["data/fisher.0/layers.2.bias"]) < 0.1)
    #expect(try data.models[0].isIdentical(to: data.fixture.part("data/model.0/")))
  }

  @Test func inputsOfLayersEqualTheirs() throws {
    let data = try FusionData()
    let network = try data.network()
    try network.load(data.models[1])
    let grams = try LayerInputs(of: network, on: data.data(1), examples: Array(0..<12)).grams
    #expect(grams.names == ["layers.0.weight", "layers.1.weight", "layers.2.weight"])
    for (name, gram) in grams {
      #expect(try relativeError(gram, data.fixture["data/gram.1/\(name.dropLast(7))"]) < 1e-6)
    }
  }

  /// All matrices but tables of embeddings, and convolutions of single channels, have inputs to be merged by.
  @Test(arguments: [Architecture.Name.vit, .clip, .convnext, .gpt])
  func everyLinearLayerIsRegressed(_ name: Architecture.Name) throws {
    var architecture = Architecture(name: name)
    for (option, size) in [Architecture.Option.depth: 2, .width: 8, .heads: 2] where architecture[option] != nil {
      architecture[option] = .integer(size)
    }
    let isLanguage = name.declaration.input == .tokens
    let generator = try Generator(seed: 5)
    let network = try architecture.makeNetwork(
      input: isLanguage ? .tokens(vocabulary: 12, context: 6) : .picture(height: 32, width: 32),
      classes: isLanguage ? 12 : 4, generator: generator)
    let examples = FusionData.Examples(
      inputs: isLanguage
        ? try .integers(in: 0..<12, shape: [4, 6], generator: generator)
        : try .normal([4, 3, 32, 32], generator: generator), labels: try .zeros([4], dtype: .int64), classes: 4)
    let grams = try LayerInputs(of: network, on: examples, examples: Array(0..<4)).grams
    let weights = network.weights
    let others = ["cls_token", "embed", "embedding", "wte.weight", "wpe.weight", "visual.proj", "conv_dw.weight"]
    let matrices = weights.names.filter { name in
      (weights[name]?.rank ?? 0) > 1 && !others.contains { name.hasSuffix($0) }
    }
    #expect(Set(grams.names) == Set(matrices))
    // They fit the weights: GPT's stand on their side.
    for (name, gram) in grams {
      let weight = try #require(weights[name])
      let inputs = isLanguage ? weight.shape[0] : weight.count / weight.shape[0]
      #expect(gram.shape == [inputs, inputs], "\(name)")
    }
  }

  /// The merged kernel's outputs are nearer to those of the models than any other's: a convolution is linear in
  /// patches.
  @Test func convolutionsAreRegressed() throws {
    let generator = try Generator(seed: 3)
    let convolution = try Conv2d(2, 3, kernel: 3, stride: 2, padding: 1, generator: generator)
    let layer = try #require(convolution.linearLayers().first)
    let pictures = try (0..<2).map { _ in try Tensor.normal([5, 2, 7, 6], generator: generator, dtype: .float64) }
    let kernels = try (0..<2).map { _ in try Tensor.normal([3, 2, 3, 3], generator: generator, dtype: .float64) }
    let grams = try pictures.map { try layer.rows($0).transpose().matmul(layer.rows($0)) }
    func loss(_ kernel: Tensor) throws -> Double {
      try zip(pictures, kernels).reduce(0) { sum, pair in
        let difference = try pair.0.conv2d(kernel - pair.1, stride: 2, padding: 1)
        return try sum + difference.square().sum().item()
      }
    }
    let merged = try regressionMean(kernels, grams: grams, offDiagonal: 1)
    let least = try loss(merged)
    for _ in 0..<10 {
      #expect(try loss(merged + Tensor.normal(merged.shape, generator: generator, dtype: .float64) * 0.01) > least)
    }
  }

  @Test func identicalModelsStayThemselves() throws {
    let data = try FusionData()
    let same = [data.models[0], data.models[0], data.models[0]]
    for method in DataMethod.all.map(\.declaration) where method.base == .none {
      let merged = try data.result(method.name, [:], models: same)
      #expect(try deviations(merged, same[0], tolerance: 1e-6).isEmpty, "\(method.name)")
    }
  }

  @Test func equalInformationMeansTheMean() throws {
    let data = try FusionData()
    let mean = try linearMerge(data.models, coefficients: [1, 1, 1].map { $0 / 3 })
    let fisher = data.fixture.part("data/fisher.0/")
    let merged = try fisherWeightedMean(
      data.models, [fisher, fisher, fisher], weights: [1, 1, 1], normalize: true, floor: 0)
    #expect(try deviations(merged, mean, tolerance: 1e-6).isEmpty)
    let gram = try data.fixture["data/gram.1/layers.1"].to(.float64)
    let weights = data.models.compactMap { $0["layers.1.weight"] }
    let regressed = try regressionMean(weights, grams: [gram, gram, gram], offDiagonal: 0.7)
    #expect(try relativeError(regressed, #require(mean["layers.1.weight"])) < 1e-6)
    // Inputs that are always 0 say nothing of their weights.
    let none = try gram.zerosLike()
    #expect(
      try relativeError(
        regressionMean(weights, grams: [none, none, none], offDiagonal: 1), #require(mean["layers.1.weight"])) < 1e-6)
  }

  @Test func theSoupIsNoWorseThanItsBestModel() throws {
    let data = try FusionData()
    let method = try #require(DataMethod.all.first { $0.declaration.name == "greedy_soup" })
    let merge = try data.merge("greedy_soup", [:], one: true)
    let result = try method(merge)
    let best = try #require(result.findings["scores"]?.max())
    #expect(try #require(result.findings["score"]?.first) >= best)
    #expect(try merge.score(result.weights) == result.findings["score"]?.first)
  }

  @Test func searchingCoefficientsFindsNoWorseThanWholeModels() throws {
    let data = try FusionData()
    let method = try #require(DataMethod.all.first { $0.declaration.name == "df_merge" })
    let result = try method(data.merge("df_merge", ["evaluations": [8], "examples": [4]]))
    let scores = try #require(result.findings["scores"])
    #expect(scores.count == 8 && result.findings["score"] == [scores.max() ?? 0])
  }

  @Test func adaptingLowersTheEntropy() throws {
    let data = try FusionData()
    let method = try #require(DataMethod.all.first { $0.declaration.name == "adamerging" })
    let result = try method(data.merge("adamerging", ["steps": [40], "rate": [0.02], "batch": [12]]))
    let entropy = try #require(result.findings["entropy"])
    #expect(try #require(entropy.last) < entropy[0])
    let still = try method(data.merge("adamerging", ["steps": [0], "start": [0]]))
    #expect(try still.weights.isIdentical(to: data.base))
  }

  /// With data of their own, models keep their heads, which may be for other classes.
  @Test func headsOfTasksAreKeptOut() throws {
    let generator = try Generator(seed: 5)
    let networks = try [3, 4].map { try MLP(inputs: 6, hidden: [5], classes: $0, generator: generator) }
    let tasks = try networks.enumerated().map { index, network in
      let labels = try Tensor.zeros([8], dtype: .int64)
      let data = FusionData.Examples(
        inputs: try Tensor.normal([8, 6], generator: generator), labels: labels, classes: index + 3)
      return DataMerge.Task(name: "\(index)", network: network, data: data)
    }
    let models = try networks.map { try $0.weights.clone() }
    for method in DataMethod.all where method.declaration.base == .none {
      let merge = try DataMerge(
        models, base: nil, tasks: tasks, method: method.declaration,
        settings: MergeSettings([:], for: method.declaration, models: 2))
      let result = try method(merge)
      #expect(result.weights.names == ["layers.0.weight", "layers.0.bias"], "\(method.declaration.name)")
      #expect(result.notes.contains { $0.contains("layers.1.weight") && $0.contains("each task's own") })
    }
    let layout = #expect(throws: FileError.self) {
      _ = try DataMerge(
        models, base: nil, tasks: [tasks[0]], method: DataMethod.fisher.declaration,
        settings: MergeSettings([:], for: DataMethod.fisher.declaration, models: 2))
    }
    #expect("\(try #require(layout))".contains("layers.1.weight is [4, 5] float32, expected [3, 5] float32"))
    let count = #expect(throws: MergeError.self) {
      _ = try DataMerge(
        models + models, base: nil, tasks: tasks, method: DataMethod.fisher.declaration,
        settings: MergeSettings([:], for: DataMethod.fisher.declaration, models: 4))
    }
    #expect("\(try #require(count))" == "4 models and 2 datasets: give one dataset for all models, or one each")
  }
}
