import Datasets
import Networks
import TestSupport
import Torch
import Weights

@testable import Landscape

/// The fixture `paths`: three networks of one kind, and examples.
struct Samples {
  let fixture: Fixture
  let prefix: String
  let network: any Module

  init(_ prefix: String) throws {
    fixture = try Fixture("paths")
    self.prefix = prefix
    let generator = try Generator(seed: 1)
    network =
      prefix == "mlp"
      ? try MLP(inputs: 48, hidden: [8], classes: 5, generator: generator)
      : try ResNet(blocks: [1, 1, 1], width: 4, classes: 5, generator: generator)
  }

  func weights(_ name: String) -> Weights { fixture.part("\(prefix)/\(name)/") }

  var trainable: Set<String> { Set(network.parameters().filter(\.parameter.isTrainable).map(\.name)) }

  func examples() throws -> PreparedExamples {
    try PreparedExamples(
      TensorExamples(inputs: fixture["\(prefix)/input"], labels: fixture["\(prefix)/labels"], classes: 5),
      batchSize: 20)
  }

  /// The examples as training batches of 16, in order.
  func batches() throws -> TensorBatches {
    TensorBatches(inputs: try fixture["\(prefix)/input"], labels: try fixture["\(prefix)/labels"])
  }

  func evaluator(_ batchNorm: BatchNormPolicy) throws -> PointEvaluator {
    try PointEvaluator(network, train: nil, test: examples(), batchNorm: batchNorm, batches: batches())
  }

  /// [n, 2] of loss and accuracy.
  func scores(_ key: String) throws -> [PointMeasure.Score] {
    let values = try fixture["\(prefix)/\(key)"].array(Double.self)
    return stride(from: 0, to: values.count, by: 2).map { .init(loss: values[$0], accuracy: values[$0 + 1]) }
  }
}

struct TensorExamples: ExampleSource {
  let inputs: Tensor
  let labels: Tensor
  let classes: Int
  var count: Int { labels.count }
  var device: Device { .cpu }

  func batch(_ range: Range<Int>) throws -> ExampleBatch {
    try ExampleBatch(inputs: inputs[range].contiguous(.channelsLast), labels: labels[range])
  }
}

struct TensorBatches: BatchStream {
  let inputs: Tensor
  let labels: Tensor
  var device: Device { .cpu }
  var batchSize: Int { 16 }
  var stepsPerEpoch: Int { labels.count / 16 }

  func batch(at step: Int) throws -> ExampleBatch {
    let start = step % stepsPerEpoch * 16
    return try ExampleBatch(inputs: inputs[start..<(start + 16)], labels: labels[start..<(start + 16)])
  }
}
