import Datasets
import Networks
import Support
import Torch
import Training
import Weights

/// How a curve between two points is trained (Garipov et al. 2018, "Loss Surfaces, Mode Connectivity, and Fast
/// Ensembling of DNNs").
///
/// Every step draws λ uniformly, takes the gradient of the loss at φ(λ) on a training batch, and gives each control its
/// share, the coefficient that it has at λ. The ends stay as they are. Weight decay is that of the point φ(λ).
public struct CurveTraining: Codable, Hashable, Sendable {
  /// What the controls make of the path.
  public var shape: WeightPath.Shape
  /// Controls, spread along the line between the ends to begin with
  public var bends: Int
  /// Batches to train on.
  public var steps: Int
  /// The peak; held for half of the steps, then falling linearly to a hundredth at nine tenths
  public var learningRate: Double
  /// Of SGD.
  public var momentum: Double
  /// Of the point on the curve, not of the controls.
  public var weightDecay: Double
  /// Of the positions on the curve, and of dropout.
  public var seed: Int

  /// A training of `steps` batches.
  public init(
    shape: WeightPath.Shape, bends: Int = 1, steps: Int, learningRate: Double, momentum: Double = 0.9,
    weightDecay: Double = 5e-4, seed: Int = 0
  ) {
    (self.shape, self.bends, self.steps, self.learningRate) = (shape, bends, steps, learningRate)
    (self.momentum, self.weightDecay, self.seed) = (momentum, weightDecay, seed)
  }

  /// The learning rate of a step.
  public func learningRate(atStep step: Int) -> Double {
    let t = Double(step) / Double(max(1, steps))
    let factor = t <= 0.5 ? 1 : t <= 0.9 ? 1 - (t - 0.5) / 0.4 * 0.99 : 0.01
    return learningRate * factor
  }

  /// λ of a step.
  func position(atStep step: Int) -> Double {
    var random = SplitMix64(UInt64(bitPattern: Int64(seed)), 0xC0_47E, UInt64(step))
    return Double(random.next() >> 11) * 0x1p-53
  }

  /// Trains a curve from `start` to `end`.
  ///
  /// - Parameters:
  ///   - network: is put at points of the curve, and back where it stood
  ///   - state: where an earlier training stopped, as `save` was given it; the result is then the same as without the
  ///     stop
  ///   - save: is shown the state every `interval` steps
  ///   - progress: is told how many steps are done, and the loss of the last
  /// - Throws: `LandscapeError` when the loss is not finite.
  public func train(
    _ network: any Module, from start: Weights, to end: Weights, on batches: any BatchStream, autocast: DType? = nil,
    state: TrainingState? = nil, saveEvery interval: Int = 500, save: (TrainingState) throws -> Void = { _ in },
    progress: (_ step: Int, _ loss: Double) throws -> Void = { _, _ in }
  ) throws -> WeightPath {
    try start.requireSameLayout(as: end)
    var batches = batches
    let trainable = Set(network.parameters().filter(\.parameter.isTrainable).map(\.name))
    var controls = try (0..<bends).map { try start.interpolated(to: end, at: Double($0 + 1) / Double(bends + 1)) }
    if let state { controls = try Self.split(state.weights, like: controls) }
    let path = WeightPath(from: start, to: end, shape: shape, controls: controls)
    let point = try MovingPoint(at: start)
    let names = point.weights.names.filter(trainable.contains)
    let leaves = names.compactMap { point.weights[$0] }
    let moving = controls.map { control in names.compactMap { control[$0] } }
    let velocities = try moving.map { try $0.map { try $0.zerosLike() } }
    if let state {
      let saved = try Self.split(
        state.slots, like: velocities.map { Weights(zip(names, $0)) })
      for (own, other) in zip(velocities, saved) { try own.copyInPlace(from: names.compactMap { other[$0] }) }
    }
    let sgd = SGD(learningRate: learningRate, momentum: momentum, weightDecay: 0)
    let generators = network.generators()
    func current(_ step: Int) throws -> TrainingState {
      try TrainingState(
        weights: Self.join(controls).clone(),
        slots: Self.join(velocities.map { Weights(zip(names, $0)) }).clone(), step: step)
    }
    for leaf in leaves { try leaf.setRequiresGradient(true) }
    defer { for leaf in leaves { try? leaf.setRequiresGradient(false) } }
    let done = state?.step ?? 0
    try network.at(point.weights) {
      for step in done..<max(steps, done) {
        let position = position(atStep: step)
        let coefficients = path.coefficients(at: position)
        try point.move(to: path.terms(at: position))
        for (index, generator) in generators.enumerated() {
          var random = SplitMix64(UInt64(bitPattern: Int64(seed)), 0xD20, UInt64(step), UInt64(index))
          try generator.reseed(random.next())
        }
        let batch = try batches.batch(at: step)
        let mean = try withAutocast(autocast, on: batches.device) {
          try CrossEntropy()(network(batch.inputs, .training), batch.labels)
        }
        let loss = try mean.item()
        guard loss.isFinite else {
          throw LandscapeError(
            "the loss of the curve became \(loss) at step \(step) of \(steps); "
              + "train it with a smaller --curve-lr than \(learningRate)")
        }
        try mean.backward()
        try withoutGradients {
          let gradients = try leaves.map { try $0.gradient() ?? $0.zerosLike() }
          if weightDecay != 0 { try gradients.addInPlace(leaves, scale: weightDecay) }
          for (index, control) in moving.enumerated() where coefficients[index + 1] != 0 || momentum > 0 {
            try sgd.update(
              control, gradients: gradients.scaled(by: coefficients[index + 1]),
              velocity: momentum > 0 ? velocities[index] : [], learningRate: learningRate(atStep: step))
          }
        }
        for leaf in leaves { try leaf.setGradient(nil) }
        try progress(step + 1, loss)
        if (step + 1) % max(1, interval) == 0 || step + 1 == steps { try save(current(step + 1)) }
      }
    }
    return path
  }

  /// Several weights as one, `0/fc.weight`, `1/fc.weight`; and back.
  private static func join(_ parts: [Weights]) -> Weights {
    Weights(
      parts.enumerated().flatMap { index, part in part.map { ("\(index)/\($0)", $1) } })
  }

  private static func split(_ joined: Weights, like parts: [Weights]) throws -> [Weights] {
    try join(parts).requireSameLayout(as: joined)
    return try parts.enumerated().map { index, part in
      // Copied into place, so that each has the layout in memory of its peer.
      try part.mapTensors { name, tensor in
        try joined["\(index)/\(name)"].map { try tensor.clone().copy(from: $0) } ?? tensor
      }
    }
  }
}
