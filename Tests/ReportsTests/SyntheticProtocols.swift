import Foundation
@testable import Studies

/// Studies of the paper's protocols B and C, and of language, with made-up but realistic numbers.
enum SyntheticProtocols {
  static let rates = [1e-6, 3e-6, 1e-5, 3e-5, 1e-4]

  /// Fine-tuning at several learning rates, each with its number of epochs: gain linear in the learning rate, the best
  /// merged networks at a larger learning rate than the best singles.
  static func transfer(
    seeds: [Int] = [0], evaluations: [String?] = [nil, "fmow-ood"], methods: [String] = ["linear"],
    rates: [Double] = rates
  ) -> StudyResults {
    var generator = SeededGenerator(state: 11)
    let runs = rates.flatMap { rate in
      seeds.map { seed -> RunResults in
        let seedShift = 0.15 * generator.normal()
        let rows = evaluations.enumerated().flatMap { place, evaluation in
          Self.rows(rate, evaluation, drop: Double(place), shift: seedShift, methods: methods, &generator)
        }
        let epochs = rate < 3e-6 ? 100 : rate < 1e-5 ? 40 : 20
        return RunResults(
          id: "\(rate)-\(seed)", status: .done, learningRate: rate, batchSize: 128, momentum: 0, weightDecay: 0.1,
          seed: seed, noiseProxy: rate / 128, optimizer: "adamw", adamProxy: rate / 128.squareRoot(),
          settings: [
            Setting(key: "optimizer.lr", value: "\(rate)"),
            Setting(key: "schedule.length", value: "\(epochs) epochs"),
          ], rows: rows, finalTrainLoss: 0.01)
      }
    }
    return StudyResults(
      name: "transfer", description: "CLIP fine-tuned on satellite pictures.",
      axes: ["optimizer.lr", "schedule.length"],
      settings: [
        Setting(key: "dataset", value: "WILDS-FMoW"), Setting(key: "model", value: "CLIP ViT-B/16"),
        Setting(key: "start", value: "clip.safetensors"),
      ], runs: runs)
  }

  private static func rows(
    _ rate: Double, _ evaluation: String?, drop: Double, shift: Double, methods: [String],
    _ generator: inout SeededGenerator
  ) -> [ResultRow] {
    let log = log10(rate)
    let single = 0.62 - 0.018 * pow(log + 5.2, 2) - 0.11 * drop + shift / 100
    let gain = (0.4 + 2.2e4 * rate * (1 - 0.3 * drop)) / 100
    var rows: [ResultRow] = []
    let singles = (0..<3).map { _ in single + 0.003 * generator.normal() }
    for (endpoint, accuracy) in singles.enumerated() {
      rows.append(
        ResultRow(
          kind: .single, epoch: 0, step: 0, endpoints: [endpoint], evaluation: evaluation, testAccuracy: accuracy,
          testLoss: 2 - accuracy, trainLoss: 0.01, trainAccuracy: 1, weightNorm: 30))
    }
    rows.append(
      ResultRow(
        kind: .base, epoch: 0, step: 0, endpoints: [], evaluation: evaluation, alpha: 0, testAccuracy: 0.21,
        testLoss: 3.2, weightNorm: 30))
    for pair in [[0, 1], [0, 2], [1, 2]] {
      let mean = (singles[pair[0]] + singles[pair[1]]) / 2
      func row(_ kind: ResultRow.Kind, _ method: String?, _ alpha: Double?, _ accuracy: Double) -> ResultRow {
        ResultRow(
          kind: kind, epoch: 0, step: 0, endpoints: pair, evaluation: evaluation, method: method, alpha: alpha,
          testAccuracy: accuracy, testLoss: 2 - accuracy, weightNorm: 30, singleAccuracy: mean, singleLoss: 2 - mean,
          accuracyGain: accuracy - mean, accuracyGainError: 0.0012, lossGain: mean - accuracy, lossGainError: 0.001)
      }
      rows.append(row(.ensemble, nil, nil, mean + 1.25 * gain + 0.001 * generator.normal()))
      for method in methods {
        if method == "linear" {
          rows.append(row(.merged, method, 0.5, mean + gain + 0.0015 * generator.normal()))
          continue
        }
        let peak = method == "ties" ? 0.9 : 0.5
        let width = (0.25 + 0.12 * (log + 6)) * (method == "ties" ? 1.4 : 1)
        for tenth in 1...10 {
          let alpha = Double(tenth) / 10
          let fall = pow((alpha - peak) / width, 2) / (1 + pow((alpha - peak) / width, 2)) * (mean - 0.2)
          rows.append(row(.merged, method, alpha, mean + gain - fall + 0.001 * generator.normal()))
        }
      }
    }
    return rows
  }

  /// Two tasks, networks at four learning rates each, every pair across the tasks merged.
  static func tasks(seeds: [Int] = [0, 1, 2], rates: [Double] = [1e-6, 3e-6, 1e-5, 3e-5, 1e-4]) -> StudyResults {
    var generator = SeededGenerator(state: 5)
    let runs = seeds.map { seed -> RunResults in
      var rows: [ResultRow] = []
      let shift = 0.004 * generator.normal()
      for (place, task) in ["fmow", "resisc45"].enumerated() {
        for (index, rate) in rates.enumerated() {
          rows.append(
            ResultRow(
              kind: .single, epoch: 0, step: 0, endpoints: [place * rates.count + index], evaluation: task, task: task,
              learningRates: [rate], testAccuracy: 0.8, testLoss: 0.6, trainLoss: 0.01, weightNorm: 30))
        }
      }
      for (i, first) in rates.enumerated() {
        for (j, second) in rates.enumerated() {
          for method in ["task_arithmetic", "ties"] {
            for tenth in 1...10 {
              let alpha = Double(tenth) / 10
              let (a, b) = (log10(first), log10(second))
              let peak = (method == "ties" ? 0.75 : 0.5) - 0.05 * (a + b + 10)
              let value =
                0.92 - 0.04 * pow((a + b) / 2 + 4.7, 2) - 0.05 * pow(a - b, 2) - 1.4 * pow(alpha - peak, 2)
                / (1 + pow(alpha - peak, 2))
                + (method == "ties" ? 0.015 : 0) + shift + 0.002 * generator.normal()
              for evaluation in ["fmow", "resisc45", nil] {
                rows.append(
                  ResultRow(
                    kind: .merged, epoch: 0, step: 0, endpoints: [i, rates.count + j], evaluation: evaluation,
                    learningRates: [first, second], method: method, alpha: alpha, testAccuracy: 0.8 * value,
                    testLoss: 1, weightNorm: 30, singleAccuracy: 0.8, singleLoss: 0.6, accuracyGain: 0.8 * (value - 1),
                    accuracyGainError: 0.004, lossGain: 0.4, lossGainError: 0.01,
                    normalisedAccuracy: evaluation == nil ? value : nil))
              }
            }
          }
        }
      }
      return RunResults(
        id: "tasks-\(seed)", status: .done, learningRate: 1e-5, batchSize: 128, momentum: 0, weightDecay: 0, seed: seed,
        noiseProxy: 1e-5, optimizer: "adamw", adamProxy: 1e-6, settings: [], rows: rows)
    }
    return StudyResults(
      name: "tasks", description: "Two tasks.", axes: [],
      settings: [Setting(key: "dataset", value: "FMoW and RESISC45"), Setting(key: "model", value: "CLIP ViT-B/16")],
      runs: runs)
  }

  /// A small language model trained with AdamW from scratch, over one swept key; the trunk is the base of task vectors.
  static func language(
    key: String = "optimizer.lr", values: [Double] = [1e-4, 2e-4, 5e-4, 1e-3], seeds: [Int] = [0],
    alphas: [Double] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
  ) -> StudyResults {
    var generator = SeededGenerator(state: 23)
    let runs = values.flatMap { value in
      seeds.map { seed -> RunResults in
        let isRate = key == "optimizer.lr"
        let rate = isRate ? value : 1e-3
        let noise = isRate ? log10(value / 1e-4) : log10(value + 0.01) + 2
        var rows: [ResultRow] = []
        for checkpoint in 1...10 {
          let progress = Double(checkpoint) / 10
          let single = 2.2 + 0.5 * exp(-3 * progress) + 0.03 * (1 - noise) + 0.003 * generator.normal()
          func level(_ kind: ResultRow.Kind, _ endpoints: [Int], _ loss: Double, _ alpha: Double? = nil) -> ResultRow {
            ResultRow(
              kind: kind, epoch: 2 * Double(checkpoint), step: 2000 * checkpoint, endpoints: endpoints,
              method: kind == .merged ? "linear" : nil, alpha: alpha, testAccuracy: 0.7 - loss / 10, testLoss: loss,
              weightNorm: 40)
          }
          for endpoint in 0..<2 {
            var row = level(.single, [endpoint], single)
            row.trainLoss = single - 0.1
            rows.append(row)
          }
          rows.append(level(.base, [], single + 0.08 + 0.03 * noise, 0))
          let gain = -(0.004 + 0.012 * noise) * (0.4 + 0.6 * progress) + 0.0006 * generator.normal()
          var merges: [ResultRow] = [level(.merged, [0, 1], single + gain, 0.5)]
          for alpha in alphas {
            let bend = 0.25 * (0.6 + noise) * pow(alpha - 0.5, 2)
            var row = level(.merged, [0, 1], single + gain + bend, alpha)
            row.method = "task_arithmetic"
            merges.append(row)
          }
          for var row in merges {
            (row.singleLoss, row.singleAccuracy) = (single, 0.7 - single / 10)
            row.lossGain = row.testLoss - single
            row.accuracyGain = -row.testLoss / 10 + single / 10
            (row.lossGainError, row.accuracyGainError) = (0.0004, 0.0004)
            rows.append(row)
          }
        }
        return RunResults(
          id: "\(value)-\(seed)", status: .done, learningRate: rate, batchSize: 16, momentum: 0,
          weightDecay: isRate ? 0 : value,
          seed: seed, noiseProxy: rate / 16, optimizer: "adamw", adamProxy: rate / 4, isLanguage: true,
          settings: [Setting(key: key, value: "\(value)")], rows: rows, finalTrainLoss: 2.1)
      }
    }
    return StudyResults(
      name: "language", description: "A two-layer GPT on small stories.", axes: [key],
      settings: [Setting(key: "dataset", value: "TinyStories"), Setting(key: "model", value: "GPT, 2 layers")],
      runs: runs)
  }
}
