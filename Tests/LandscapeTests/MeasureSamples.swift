import Datasets
import Networks
import TestSupport
import Torch
import Weights

@testable import Landscape

/// The fixture `measures`: three networks of one kind and 24 examples of 4 classes.
struct MeasureSamples {
  struct Examples: ExampleSource {
    let inputs, labels: Tensor
    let classes = 4
    var count: Int { labels.count }
    var device: Device { .cpu }

    func batch(_ range: Range<Int>) throws -> ExampleBatch {
      try ExampleBatch(inputs: inputs[range], labels: labels[range])
    }
  }

  let fixture: Fixture
  let prefix: String
  let network: any Module
  let examples: Examples

  init(_ prefix: String) throws {
    fixture = try Fixture("measures")
    self.prefix = prefix
    let generator = try Generator(seed: 1)
    network =
      prefix == "mlp"
      ? try MLP(inputs: 12, hidden: [8], classes: 4, generator: generator)
      : try ResNet(blocks: [1, 1], width: 2, classes: 4, generator: generator)
    examples = Examples(inputs: try fixture["\(prefix)/input"], labels: try fixture["\(prefix)/labels"])
  }

  func weights(_ name: String) -> Weights { fixture.part("\(prefix)/\(name)/") }

  subscript(key: String) -> Tensor { get throws { try fixture["\(prefix)/\(key)"] } }

  func values(_ key: String) throws -> [Double] { try self[key].array(Double.self) }

  /// In batches of 10, so that the last is a smaller one.
  func hessian(_ name: String = "a") throws -> LossHessian {
    try network.load(weights(name))
    return try LossHessian(network, on: examples, batchSize: 10)
  }
}

/// A symmetric matrix, of which products are counted.
final class MatrixOperator: SymmetricOperator {
  let matrix: Tensor
  private(set) var products = 0
  var dimension: Int { matrix.shape[0] }
  var device: Device { .cpu }

  init(_ matrix: Tensor) { self.matrix = matrix }

  /// With these eigenvalues, in a random orthonormal basis.
  convenience init(eigenvalues: [Double], seed: UInt64 = 3) throws {
    let count = eigenvalues.count
    let (q, _) = try Tensor.normal([count, count], generator: Generator(seed: seed), dtype: .float64).qr()
    self.init(try (q * Tensor(eigenvalues)).matmul(q.transpose()))
  }

  func callAsFunction(_ vector: Tensor) throws -> Tensor {
    products += 1
    return try matrix.matmul(vector.to(.float64)).to(.float32)
  }
}
