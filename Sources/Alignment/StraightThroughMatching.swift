import Datasets
import Networks
import Torch
import Training
import Weights

/// Straight-through matching (Ainsworth et al. 2023): permutations trained so that the midpoint of A and πB does well
/// on data.
///
/// Free parameters θ start at A. For every batch B is matched to θ by its weights, from where it was matched before;
/// the loss is that of the midpoint of A and πB, and its gradient goes to θ as if θ itself had taken πB's place. What
/// is kept is the π whose midpoint had the lowest loss on the first batches.
public struct StraightThroughMatching: Sendable, Hashable {
  /// Of the order in which groups of units are matched.
  public var seed: UInt64
  /// Batches to train on.
  public var steps: Int
  /// Of the free parameters, held throughout.
  public var learningRate: Double
  /// Of the free parameters.
  public var momentum: Double
  /// How many batches midpoints are compared on, the first of the stream.
  public var compared: Int

  /// A matching that trains for `steps` batches.
  public init(
    seed: UInt64 = 0, steps: Int = 100, learningRate: Double = 1e-2, momentum: Double = 0.9, compared: Int = 5
  ) {
    (self.seed, self.steps, self.learningRate, self.momentum) = (seed, steps, learningRate, momentum)
    self.compared = compared
  }

  /// What was found.
  public struct Result: Sendable {
    /// One for each group of the symmetry.
    public let permutations: [Permutation]
    /// Training loss of the midpoint of A and πB, nats, with batch statistics where the network has BatchNorm
    public let loss: Double
    /// The same for the weight matching it started from.
    public let former: Double
    /// The step after which the best permutations were found, 0 for those it started from.
    public let step: Int
  }

  /// Matches B to A.
  ///
  /// - Parameters:
  ///   - network: is put at midpoints, and back where it stood
  ///   - batches: training batches, from step 0 on
  ///   - start: where to begin; nil: what weight matching finds
  ///   - report: is told the steps done and the lowest loss so far, nats
  /// - Throws: `AlignmentError` for weights that are not the symmetry's, or not finite; what reading the batches
  ///   throws.
  public func match(
    _ b: Weights, to a: Weights, _ symmetry: Symmetry, of network: any Module, on batches: any BatchStream,
    from start: [Permutation]? = nil, report: (_ step: Int, _ loss: Double) -> Void = { _, _ in }
  ) throws -> Result {
    var batches = batches
    let device = batches.device
    let problem = try MatchingProblem(b, to: a, symmetry)
    let matching = WeightMatching(seed: seed)
    var current = try matching.solve(problem, symmetry, from: start).permutations
    let names = symmetry.names.filter { name in
      !symmetry.buffers.contains(name) && a[name]?.dtype.isFloatingPoint == true
    }
    let free = try names.compactMap { try a[$0]?.detach().clone() }
    let velocity = try free.map { try $0.zerosLike() }
    let optimizer = SGD(learningRate: learningRate, momentum: momentum, weightDecay: 0)
    let fixed = try (0..<max(1, compared)).map { try batches.batch(at: $0) }

    func midpoint(_ permutations: [Permutation]) throws -> Weights {
      try withoutGradients { try a.interpolated(to: symmetry.apply(permutations, to: b), at: 0.5).to(device) }
    }
    func loss(_ permutations: [Permutation]) throws -> Double {
      let total = try network.at(midpoint(permutations)) {
        try withoutGradients {
          try fixed.reduce(0.0) { try $0 + CrossEntropy()(network($1.inputs, .training), $1.labels).item() }
        }
      }
      // Worse than anything where it diverged.
      return total.isFinite ? total / Double(fixed.count) : .infinity
    }

    let former = try loss(current)
    var best = Result(permutations: current, loss: former, former: former, step: 0)
    for step in 0..<steps {
      let batch = try batches.batch(at: step)
      let weights = try midpoint(current)
      let leaves = names.compactMap { weights[$0] }
      for leaf in leaves { try leaf.setRequiresGradient(true) }
      let value = try network.at(weights) { try CrossEntropy()(network(batch.inputs, .training), batch.labels) }
      guard try value.item().isFinite else { break }
      try value.backward()
      let gradients = try leaves.map { try ($0.gradient() ?? $0.detach().zerosLike()) * 0.5 }
      try optimizer.update(free, gradients: gradients, velocity: velocity, learningRate: learningRate)
      try problem.setReference(Weights(zip(names, free)))
      let matched = try matching.solve(problem, symmetry, from: current).permutations
      if matched != current {
        current = matched
        let found = try loss(current)
        if found < best.loss { best = Result(permutations: current, loss: found, former: former, step: step + 1) }
      }
      report(step + 1, best.loss)
    }
    return best
  }
}
