import Checkpoints
import Datasets
import Foundation
import Networks
import TestSupport
import Testing
import Torch
import Training

@Suite struct EvaluationTests {
  @Test func agreesWithALoopOverExamplesWhateverTheBatchSize() throws {
    let network = try Samples.network(.resnet)
    let dataset = try Samples.dataset(.test, count: 23)
    let whole = try Evaluation(network, on: dataset, batchSize: 100)
    let parts = try Evaluation(network, on: dataset, batchSize: 5)
    #expect(whole.losses.count == 23)
    #expect(whole.scores == parts.scores)
    for (example, loss) in whole.losses.enumerated() {
      let batch = try dataset.batch(example..<(example + 1))
      let logits = try withoutGradients { try network(batch.inputs, .evaluation) }.array(Double.self)
      let label = try batch.labels.intItem()
      let expected = log(logits.map { exp($0) }.reduce(0, +)) - logits[label]
      #expect(abs(Double(loss) - expected) < 1e-4)
      #expect(abs(loss - parts.losses[example]) < 1e-4)
      #expect(whole.scores[example] == (logits.firstIndex(of: logits.max() ?? 0) == label ? 1 : 0))
    }
    #expect(abs(whole.loss - whole.losses.reduce(0) { $0 + Double($1) } / 23) < 1e-9)
    #expect(whole.accuracy == Double(whole.scores.filter { $0 == 1 }.count) / 23)
  }

  /// An example is a sequence: its loss is the mean over its tokens, its score the fraction of them predicted.
  @Test func sequencesAreScoredByTheirTokens() throws {
    let network = try TokenTable(vocabulary: 7)
    let tokens = TokenSource(sequences: [[0, 1, 2, 3, 4], [6, 6, 6, 0, 1], [3, 1, 4, 1, 5]], vocabulary: 7)
    let evaluation = try Evaluation(network, on: tokens, batchSize: 2)
    let table = try network.table.value.array(Double.self)
    for (index, sequence) in tokens.sequences.enumerated() {
      let pairs = zip(sequence, sequence.dropFirst())
      let rows = pairs.map { token, next in (Array(table[(7 * token)..<(7 * token + 7)]), next) }
      let losses = rows.map { row, next in log(row.map { exp($0) }.reduce(0, +)) - row[next] }
      let right = rows.count { row, next in row.firstIndex(of: row.max() ?? 0) == next }
      #expect(abs(Double(evaluation.losses[index]) - losses.reduce(0, +) / 4) < 1e-6)
      #expect(evaluation.scores[index] == Float(right) / 4)
    }
    #expect(try Evaluation(network, on: tokens).losses.count == 3)
  }

  @Test func gainIsPairedOverExamples() {
    let merged = Evaluation(losses: [1, 2, 3, 4], scores: [1, 1, 0, 1])
    let singles = [
      Evaluation(losses: [2, 2, 2, 2], scores: [1, 0, 0, 0]),
      Evaluation(losses: [2, 4, 2, 4], scores: [1, 1, 0, 0]),
    ]
    let gain = Gain(of: merged, over: singles)
    // Per example: accuracy 0, ½, 0, 1; loss −1, −1, 1, 1.
    #expect(gain.accuracy == 0.375)
    let squares = [-0.375, 0.125, -0.375, 0.625].map { $0 * $0 }.reduce(0, +)
    #expect(abs(gain.accuracyError - (squares / 3 / 4).squareRoot()) < 1e-15)
    #expect(gain.loss == 0)
    #expect(abs(gain.lossError - (4.0 / 3 / 4).squareRoot()) < 1e-15)
    #expect(Gain(of: merged, over: [merged]).lossError == 0)
  }

  @Test func reestimatedStatisticsAreTheAverageOverBatchesAndNothingElseMoves() throws {
    let network = try #require(try Samples.network(.resnet) as? ResNet)
    let shared = network.weights
    let before = try shared.clone()
    var batches = try Samples.batches()
    try reestimateBatchNorm(of: network, on: batches, examples: 33)  // three batches of 16
    let seen = try withoutGradients {
      try (0..<3).map {
        try network.conv1(batches.batch(at: $0).inputs, .evaluation).transpose(0, 1).flatten(from: 1)
      }
    }
    let mean = try Tensor.stack(seen.map { try $0.mean([1]) }).mean([0])
    let variance = try Tensor.stack(seen.map { try $0.variance([1]) }).mean([0])
    #expect(try relativeError(network.bn1.runningMean.value, mean) < 1e-5)
    #expect(try relativeError(network.bn1.runningVar.value, variance) < 1e-5)
    #expect(try shared.isIdentical(to: before), "the caller's tensors were written to")
    for (name, parameter) in network.parameters() where parameter.isTrainable {
      #expect(try parameter.value.isIdentical(to: #require(before[name])))
    }
  }

  /// At an endpoint itself there is nothing for re-estimation to correct.
  @Test func reestimationKeepsATrainedNetworkAsGoodAsItWas() throws {
    let batches = try Samples.batches(augmentation: .none)
    let trainer = try Trainer(Samples.network(.resnet), batches: batches, optimizer: .sgd(SGD(weightDecay: 0)))
    for step in 0..<150 { _ = try trainer.advance(learningRate: step < 100 ? 0.1 : 0.01) }
    let before = try Evaluation(trainer.network, on: batches.dataset)
    try reestimateBatchNorm(of: trainer.network, on: batches)
    let after = try Evaluation(trainer.network, on: batches.dataset)
    #expect(before.accuracy > 0.9)
    #expect(abs(after.accuracy - before.accuracy) < 0.05)
    #expect(abs(after.loss - before.loss) < 0.1)
  }
}
