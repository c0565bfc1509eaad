import Datasets
import Networks
import Torch
import Training
import Weights

/// A symmetric linear map that is known by what it does to a vector.
public protocol SymmetricOperator {
  /// n
  var dimension: Int { get }
  /// Where its vectors live.
  var device: Device { get }
  /// A · v; [n], float32, to the same.
  func callAsFunction(_ vector: Tensor) throws -> Tensor
}

/// The Hessian of a network's mean loss over fixed examples, at one point of weight space.
///
/// The network works in evaluation mode: BatchNorm normalises by the statistics of the point, which count as constants.
/// The loss is the mean cross-entropy, without label smoothing and weight decay. Vectors hold the trained parameters
/// one after the other in the order of declaration, each in row-major order.
///
/// A product is the derivative of the gradient in the direction of the vector (forward over reverse mode): about four
/// times the work of a gradient, in batches, so that memory does not grow with the examples.
public final class LossHessian: SymmetricOperator {
  /// Elements of the trained parameters.
  public let dimension: Int
  /// That of the examples.
  public let device: Device
  /// Hessian–vector products done so far
  public private(set) var products = 0
  private let network: any Module
  private let examples: any ExampleSource
  private let ranges: [Range<Int>]
  /// Of the trained parameters.
  private let names: [String]
  /// The trained parameters, cut off from the network's own, which nothing here touches.
  private let point: [Tensor]
  /// The point with what else decides the loss: parameters that are not trained, BatchNorm's statistics.
  private let weights: Weights

  /// The Hessian where the network stands now; what becomes of the network later does not matter.
  ///
  /// - Parameters:
  ///   - batchSize: examples at a time; nil: as many as fit in memory easily, 100 at most
  ///   - trained: the parameters that the Hessian is with respect to
  /// - Throws: `LandscapeError` without examples, `TrainingError` for names that are none.
  public init(
    _ network: any Module, on examples: any ExampleSource, batchSize: Int? = nil, trained: TrainedParameters = .all
  ) throws {
    guard examples.count > 0 else { throw LandscapeError("the Hessian of a loss over no examples") }
    (self.network, self.examples) = (network, examples)
    device = examples.device
    ranges = examples.ranges(ofAtMost: try batchSize ?? min(100, examples.evaluationBatchSize()))
    let parameters = try trained.parameters(of: network)
    names = parameters.map(\.name)
    point = try parameters.map { try $0.parameter.value.detach() }
    for tensor in point { try tensor.setRequiresGradient(true) }
    weights = network.weights
    dimension = point.reduce(0) { $0 + $1.count }
  }

  /// H · v; [n], float32, to the same.
  ///
  /// - Throws: `TorchError` for a vector of another shape.
  public func callAsFunction(_ vector: Tensor) throws -> Tensor {
    let tangents = try split(vector)
    products += 1
    return try sum { share, batch in
      try directionalDerivative(at: point, along: tangents) { moved in
        try gradients(of: loss(at: moved, batch) * share, withRespectTo: point)
      }
    }
  }

  /// The loss in nats and its gradient, [n].
  public func gradient() throws -> (loss: Double, gradient: Tensor) {
    var total = 0.0
    let gradient = try sum { share, batch in
      let value = try loss(at: point, batch) * share
      total += try value.item()
      return try gradients(of: value, withRespectTo: point)
    }
    return (total, gradient)
  }

  /// The loss in nats.
  public func loss() throws -> Double {
    try withoutGradients {
      try ranges.reduce(0) { total, range in
        try total + loss(at: point, examples.batch(range)).item() * Double(range.count) / Double(examples.count)
      }
    }
  }

  /// The names of a network's parameters in the order of its Hessian's vectors.
  public static func names(_ network: any Module, trained: TrainedParameters = .all) throws -> [String] {
    try trained.parameters(of: network).map(\.name)
  }

  /// The sum over batches of what `body` gives for each parameter, as one vector.
  private func sum(_ body: (_ share: Double, ExampleBatch) throws -> [Tensor]) throws -> Tensor {
    let total = try Tensor.zeros([dimension], device: device)
    for range in ranges {
      let parts = try body(Double(range.count) / Double(examples.count), examples.batch(range))
      try withoutGradients {
        _ = try total.addInPlace(.concatenate(parts.map { try $0.to(.float32).reshape([-1]) }))
      }
    }
    return total
  }

  private func loss(at tensors: [Tensor], _ batch: ExampleBatch) throws -> Tensor {
    var moved = weights
    for (name, tensor) in zip(names, tensors) { moved[name] = tensor }
    // Through the logits: a network's shorter way to its loss is differentiable once.
    return try network.at(moved) { try CrossEntropy()(network(batch.inputs, .evaluation), batch.labels) }
  }

  /// The parts of a vector, laid out as the parameters are.
  private func split(_ vector: Tensor) throws -> [Tensor] {
    guard vector.shape == [dimension] else {
      throw TorchError(
        operation: "LossHessian", message: "a vector of \(dimension) elements is expected",
        arguments: [vector.shapeDescription])
    }
    var start = 0
    return try point.map { tensor in
      defer { start += tensor.count }
      let part = try vector.narrow(0, from: start, count: tensor.count).view(tensor.shape).to(tensor.dtype)
      return try tensor.isContiguous() ? part : part.contiguous(.channelsLast)
    }
  }
}
