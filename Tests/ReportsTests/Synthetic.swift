import Foundation
@testable import Studies

/// SplitMix64, seeded: the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func normal() -> Double {
    let u = Double.random(in: Double.leastNonzeroMagnitude..<1, using: &self)
    return (-2 * log(u)).squareRoot() * cos(2 * .pi * Double.random(in: 0..<1, using: &self))
  }
}

/// Studies with made-up but realistic numbers: gain rises and falls with the logarithm of S̃, as in the probe of the
/// paper's small setting.
struct Synthetic {
  var learningRates = [0.003, 0.01, 0.03, 0.1, 0.3]
  var batchSizes = [32, 64, 128]
  var seeds = [0, 1, 2]
  var epochs: [Double] = [5, 10, 15, 20, 25]
  var endpoints = 3
  var scatter = 0.05
  /// Accuracy gain in percentage points as a function of log10 S̃.
  var gain: @Sendable (Double) -> Double = { log in 0.05 + 0.45 * exp(-pow((log + 1.6) / 0.55, 2)) }
  var diverges = true
  var noise = true
  var name = "noise demo"
  var description = "A small residual network on glyphs, over learning rate and batch size."
  var generatorSeed: UInt64 = 7
  /// Replaces the grid: the swept key with its values, at learning rate 0.1 and batch size 64.
  var other: (key: String, values: [String])?

  func results() -> StudyResults {
    var generator = SeededGenerator(state: generatorSeed)
    var runs: [RunResults] = []
    func add(_ learningRate: Double, _ batchSize: Int, _ settings: [Setting], shift: Double = 0) {
      let proxy = learningRate / (Double(batchSize) * 0.1)
      for seed in seeds {
        let diverged = diverges && proxy > 0.05 && seed == 1
        let offset = scatter * generator.normal()
        let rows = rows(log10(proxy) + shift, offset: offset, &generator)
        let measured = (0..<12).map { index in
          NoiseRow(
            step: 100 * (index + 1), epoch: 2 * Double(index + 1), learningRate: learningRate, gradientNormSquared: 0.4,
            traceCovariance: 30 * pow(proxy, -0.2) * exp(0.2 * generator.normal()), simpleNoiseScale: 75,
            weightNorm: 30,
            effectiveLearningRate: learningRate / 900,
            noiseScale: proxy * 30 * pow(proxy, -0.2) * exp(0.2 * generator.normal()))
        }
        let id = String(generator.next() >> 16, radix: 16)
        runs.append(
          RunResults(
            id: id, status: diverged ? .diverged(step: 412) : .done, learningRate: learningRate, batchSize: batchSize,
            momentum: 0.9, weightDecay: weightDecay(settings), seed: seed, noiseProxy: proxy, settings: settings,
            rows: diverged ? [] : rows, noise: noise ? measured : [],
            finalTrainLoss: diverged ? nil : rows.last { $0.kind == .single }?.trainLoss))
      }
    }
    if let other {
      for (index, value) in other.values.enumerated() {
        add(0.1, 64, [Setting(key: other.key, value: value)], shift: 0.5 * Double(index) - 1)
      }
    } else {
      for learningRate in learningRates {
        for batchSize in batchSizes {
          let all = [
            Setting(key: "optimizer.lr", value: "\(learningRate)"), Setting(key: "batch_size", value: "\(batchSize)"),
          ]
          add(learningRate, batchSize, all.filter { batchSizes.count > 1 || $0.key != "batch_size" })
        }
      }
    }
    let axes = other.map { [$0.key] } ?? (batchSizes.count > 1 ? ["optimizer.lr", "batch_size"] : ["optimizer.lr"])
    return StudyResults(
      name: name, description: description, exponent: 1, axes: axes,
      settings: [
        Setting(key: "dataset", value: "glyphs"), Setting(key: "model", value: "ResNet [1, 1, 1], width 8"),
        Setting(key: "optimizer", value: "SGD, momentum 0.9, weight decay 5e-4"),
      ], runs: runs)
  }

  private func weightDecay(_ settings: [Setting]) -> Double {
    settings.first { $0.key == "optimizer.weight_decay" }.flatMap { Double($0.value) } ?? 5e-4
  }

  private func rows(_ log: Double, offset: Double, _ generator: inout SeededGenerator) -> [ResultRow] {
    var rows: [ResultRow] = []
    let pairs = (0..<endpoints).flatMap { a in ((a + 1)..<max(endpoints, a + 1)).map { [a, $0] } }
    for epoch in epochs {
      let progress = epoch / (epochs.last ?? 1)
      let single = 0.62 + 0.13 * progress - 0.02 * abs(log + 1.5) + 0.002 * generator.normal()
      for endpoint in 0..<endpoints {
        rows.append(
          ResultRow(
            kind: .single, epoch: epoch, step: Int(epoch * 32), endpoints: [endpoint], testAccuracy: single,
            testLoss: 0.9,
            trainLoss: 0.4 * exp(-4 * progress) * exp(0.3 * generator.normal()), trainAccuracy: 0.99, weightNorm: 30))
      }
      for pair in pairs {
        let gain = (gain(log) * (0.5 + 0.5 * progress) + offset + 0.1 * generator.normal()) / 100
        let lossGain = -0.02 * gain * 100 + 0.0006 * generator.normal()
        rows.append(
          ResultRow(
            kind: .merged, epoch: epoch, step: Int(epoch * 32), endpoints: pair, method: "linear", alpha: 0.5,
            batchNorm: "average", testAccuracy: single + gain, testLoss: 0.9 + lossGain, weightNorm: 28,
            singleAccuracy: single, singleLoss: 0.9, accuracyGain: gain, accuracyGainError: 0.0018, lossGain: lossGain,
            lossGainError: 0.0009))
      }
    }
    return rows
  }
}
