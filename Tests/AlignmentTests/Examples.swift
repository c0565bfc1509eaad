import Datasets
import Torch

/// Pictures or tokens, with random labels where none are given, as a source and as a stream.
struct Examples: ExampleSource, BatchStream {
  let inputs, labels: Tensor
  let classes: Int
  let batchSize: Int
  let device = Device.cpu
  var count: Int { inputs.shape[0] }
  var stepsPerEpoch: Int { count / batchSize }

  init(_ inputs: Tensor, labels: Tensor? = nil, classes: Int, batchSize: Int = 16) throws {
    (self.inputs, self.classes, self.batchSize) = (inputs, classes, batchSize)
    let shape = inputs.dtype.isFloatingPoint ? [inputs.shape[0]] : inputs.shape
    self.labels = try labels ?? .integers(in: 0..<classes, shape: shape, generator: Generator(seed: 5))
  }

  func batch(_ range: Range<Int>) throws -> ExampleBatch {
    try ExampleBatch(inputs: inputs.slice(0, range), labels: labels.slice(0, range))
  }

  mutating func batch(at step: Int) throws -> ExampleBatch {
    let start = step % stepsPerEpoch * batchSize
    return try batch(start..<(start + batchSize))
  }
}
