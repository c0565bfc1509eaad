import Checkpoints
import Datasets
import Networks
import Support
import Torch
import Weights

/// One training process: it moves a network through weight space, one optimizer step at a time.
///
/// A trainer owns the network while it trains, and belongs to one task. Batches and dropout depend only on their seeds
/// and the step, so the state determines the process: the same state, settings, machine and thread count lead to the
/// same bits.
public final class Trainer {
  /// The network, which stands at the weights reached so far.
  public let network: any Module
  /// Updates made so far.
  public private(set) var step: Int
  private var batches: any BatchStream
  private let loss: CrossEntropy
  private let seed: Int
  private let autocast: DType?
  private let names: [String]
  private let parameters: [Tensor]
  private let optimizer: OptimizerState
  /// What draws random numbers in training, such as dropout.
  private let generators: [Generator]
  /// Buffers, and what they were before the current step.
  private let statistics: [Tensor]
  private let formerStatistics: [Tensor]

  /// Puts a network at the start of a training, or where an earlier one stopped.
  ///
  /// - Parameters:
  ///   - network: moved to the batches' device, with channels innermost in convolutions, and put at the state's weights
  ///   - batches: what to train on; batch s leads from step s to step s + 1
  ///   - optimizer: how gradients become updates
  ///   - loss: what is made smaller
  ///   - trained: the parameters to update; the others keep every bit
  ///   - seed: what dropout depends on, together with the step
  ///   - autocast: the type of convolutions and matrix products; nil: the weights' own
  ///   - state: where to start; nil: at the network's weights, at step 0
  /// - Throws: `FileError` when the state does not fit the network, `TrainingError` when `trained` does not.
  public init(
    _ network: any Module, batches: any BatchStream, optimizer: Optimizer, loss: CrossEntropy = CrossEntropy(),
    trained: TrainedParameters = .all, seed: Int = 0, autocast: DType? = nil, state: TrainingState? = nil
  ) throws {
    self.network = network
    self.batches = batches
    self.loss = loss
    self.seed = seed
    self.autocast = autocast
    step = state?.step ?? 0
    let device = batches.device
    // The process writes to its own copy of the weights.
    try network.load((state?.weights ?? network.weights).clone())
    try network.move(to: device, format: .channelsLast)
    let trainable = try trained.parameters(of: network)
    names = trainable.map(\.name)
    parameters = trainable.map(\.parameter.value)
    statistics = network.parameters().filter { !$0.parameter.isTrainable }.map(\.parameter.value)
    formerStatistics = try statistics.map { try $0.clone() }
    for parameter in parameters { try parameter.setRequiresGradient(true) }
    self.optimizer = try OptimizerState(
      optimizer, names: names, parameters: parameters, slots: state?.slots ?? Weights())
    generators = network.generators()
  }

  /// Makes one update on the step's batch.
  ///
  /// Nothing changes if the loss is not finite, so the state before a divergence can still be examined.
  ///
  /// - Parameter learningRate: η of this update
  /// - Returns: the batch's mean loss before the update, in nats.
  /// - Throws: `TorchError`, and whatever reading the batch throws.
  public func advance(learningRate: Double) throws -> Double {
    try advance(on: batches.batch(at: step), learningRate: learningRate)
  }

  /// Makes one update on a batch that the caller chooses. A process that is saved and resumed needs the same batches
  /// again.
  ///
  /// - Returns: the batch's mean loss before the update, in nats.
  public func advance(on batch: ExampleBatch, learningRate: Double) throws -> Double {
    // Running statistics move during the forward pass, before its loss is known.
    try formerStatistics.copyInPlace(from: statistics)
    for (index, generator) in generators.enumerated() {
      var random = SplitMix64(UInt64(bitPattern: Int64(seed)), 0xD20, UInt64(step), UInt64(index))
      try generator.reseed(random.next())
    }
    let mean = try withAutocast(autocast, on: batches.device) {
      try loss(of: network, batch.inputs, batch.labels, .training)
    }
    let value = try mean.item()
    guard value.isFinite else {
      try statistics.copyInPlace(from: formerStatistics)
      return value
    }
    try mean.backward()
    try optimizer.update(gradients: parameters.map { try $0.gradient() }, learningRate: learningRate)
    for parameter in parameters { try parameter.setGradient(nil) }
    step += 1
    return value
  }

  /// A copy of everything needed to continue, in row-major order, on the training device.
  public func state() throws -> TrainingState {
    func copy(_ tensor: Tensor) throws -> Tensor { try tensor.detach().clone(format: .contiguous) }
    return try TrainingState(
      weights: network.weights.mapTensors { try copy($1) }, slots: optimizer.slots.mapTensors { try copy($1) },
      step: step)
  }

  /// ‖w‖, the Euclidean norm of all trained parameters together.
  public func weightNorm() throws -> Double { try Weights(zip(names, parameters)).norm() }
}
