import Checkpoints
import Networks
import Torch
import Training
import Weights

extension DataMerge {
  /// The mean accuracy over all tasks at a point, BatchNorm's statistics measured anew if that was asked for.
  func score(_ point: Weights) throws -> Double {
    let point = try settled(point)
    var sum = 0.0
    for task in tasks.indices {
      sum += try at(point, task: task) { try Evaluation($0, on: tasks[task].data).accuracy }
    }
    return sum / Double(tasks.count)
  }

  /// The point with BatchNorm's statistics measured on it, if that was asked for and there is one task to measure them
  /// on.
  func settled(_ point: Weights) throws -> Weights {
    guard let batchNormExamples, tasks.count == 1, let batches = tasks[0].batches else { return point }
    let measured = try at(point, task: 0) { network in
      try reestimateBatchNorm(of: network, on: batches, examples: batchNormExamples == 0 ? nil : batchNormExamples)
      return network.weights
    }
    return Weights(point.names.compactMap { name in (measured[name] ?? point[name]).map { (name, $0) } })
  }
}
