import Datasets
import Networks
import TestSupport
import Testing
import Torch
import Training

@Suite struct GradientNoiseTests {
  @Test(arguments: ["mlp", "resnet"]) func agreesWithALoopOverSamples(_ kind: String) throws {
    let fixture = try Fixture("noise")
    let generator = try Generator(seed: 0)
    let network: any Module =
      kind == "mlp"
      ? try MLP(inputs: 48, hidden: [8], classes: 5, generator: generator)
      : try ResNet(blocks: [1, 1, 1], width: 4, classes: 5, generator: generator)
    let weights = fixture.part("\(kind)/weights/")
    try network.load(weights.clone())
    let batch = ExampleBatch(
      inputs: try fixture["\(kind)/input"].flatten(from: 0, to: 1),
      labels: try fixture["\(kind)/labels"].flatten(from: 0, to: 1))
    for (microbatches, prefix) in [(8, ""), (128, "sample.")] {
      let noise = try GradientNoise(network, on: batch, microbatches: microbatches)
      func expect(_ value: Double, _ key: String) throws {
        let expected = try fixture["\(kind)/\(prefix)\(key)"].item()
        #expect(abs(value - expected) < 1e-4 * abs(expected), "\(key) \(value), expected \(expected)")
      }
      try expect(noise.traceCovariance, "traceCovariance")
      try expect(noise.gradientNormSquared, "gradientNormSquared")
      try expect(noise.simpleNoiseScale, "simpleNoiseScale")
    }
    for (name, tensor) in network.weights {
      #expect(try tensor.isIdentical(to: fixture["\(kind)/weights/\(name)"]), "\(name) changed")
    }
  }

  @Test func measuringLeavesTrainingAsItWas() throws {
    func trained(measuring: Bool) throws -> [Double] {
      let batches = try Samples.batches()
      let trainer = try Trainer(Samples.network(.resnet), batches: batches, optimizer: .sgd())
      return try (0..<4).map { _ in
        if measuring {
          var other = batches
          _ = try GradientNoise(trainer.network, on: other.batch(at: 9), microbatches: 4)
        }
        return try trainer.advance(learningRate: 0.05)
      }
    }
    #expect(try trained(measuring: true) == trained(measuring: false))
  }

  @Test(arguments: [0, 1, 17]) func impossibleSplitsAreRefused(_ microbatches: Int) throws {
    var batches = try Samples.batches()
    let batch = try batches.batch(at: 0)
    let text = failure(of: TorchError.self) {
      try GradientNoise(Samples.network(.mlp), on: batch, microbatches: microbatches)
    }
    #expect(text.contains("16 examples cannot be split into \(microbatches) microbatches (two or more)"), "\(text)")
  }

  @Test func proxyIsTheFormula() {
    func proxy(_ exponent: Int) -> Double {
      NoiseScale.proxy(learningRate: 0.1, batchSize: 50, momentum: 0.75, exponent: exponent)
    }
    #expect(proxy(0) == 0.002)
    #expect(proxy(1) == 0.008)
    #expect(proxy(2) == 0.032)
    // The square-root rule: four times the batch at twice the learning rate is the same noise.
    #expect(NoiseScale.adamProxy(learningRate: 0.1, batchSize: 25) == 0.02)
    #expect(NoiseScale.adamProxy(learningRate: 0.2, batchSize: 100) == 0.02)
  }
}
