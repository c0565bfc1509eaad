import Foundation

/// How the learning rate falls in the decay phase: a factor on the peak as a function of t = step / T, from 0 to 1.
///
/// The names follow Hägele et al., "Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations" (2024).
/// What arXiv 2510.04686 calls "square-root decay" is `oneMinusSquareRoot`.
public enum DecayShape: String, Codable, CaseIterable, Hashable, Sendable {
  /// 1 − √t, as in arXiv 2510.04686
  case oneMinusSquareRoot = "1-sqrt"
  /// √(1 − t)
  case squareRoot = "sqrt"
  /// 1 − t
  case linear
  /// (1 + cos πt) / 2
  case cosine
  /// 1 − t²
  case square
  /// 0.01ᵗ, which ends at a hundredth of the peak
  case exponential

  /// The factor on the peak learning rate at `t`, which is held to 0…1.
  public func factor(_ t: Double) -> Double {
    let t = min(max(t, 0), 1)
    return switch self {
    case .oneMinusSquareRoot: 1 - t.squareRoot()
    case .squareRoot: (1 - t).squareRoot()
    case .linear: 1 - t
    case .cosine: (1 + cos(Double.pi * t)) / 2
    case .square: 1 - t * t
    case .exponential: pow(0.01, t)
    }
  }
}

/// Warmup, constant learning rate, decay. The trunk is the warmup and the stable phase; each endpoint is one decay from
/// a checkpoint of the trunk.
public struct WarmupStableDecay: Codable, Hashable, Sendable {
  /// A linear rise from near 0 to the peak
  public var warmup: TrainingLength
  /// The constant peak after the warmup
  public var stable: TrainingLength
  /// The fall to 0, or to a hundredth for `.exponential`
  public var decay: TrainingLength
  /// How it falls
  public var shape: DecayShape

  /// A plan whose defaults suit a small network on CIFAR-10.
  public init(
    warmup: TrainingLength = .epochs(1), stable: TrainingLength = .epochs(25), decay: TrainingLength = .epochs(6),
    shape: DecayShape = .oneMinusSquareRoot
  ) {
    self.warmup = warmup
    self.stable = stable
    self.decay = decay
    self.shape = shape
  }
}

/// Linear warmup, then half a cosine: the schedule of an endpoint that branches before anything is trained, as in
/// fine-tuning. There is no trunk.
public struct WarmupCosine: Codable, Hashable, Sendable {
  /// A linear rise from near 0 to the peak
  public var warmup: TrainingLength
  /// The warmup and the cosine together
  public var length: TrainingLength
  /// Where the cosine ends, as a fraction of the peak
  public var final: Double

  /// A plan of `length` that begins with `warmup` and ends at `final` times the peak.
  public init(warmup: TrainingLength = .epochs(1), length: TrainingLength = .epochs(20), final: Double = 0) {
    self.warmup = warmup
    self.length = length
    self.final = final
  }
}

/// The learning rate of every optimizer step, with lengths resolved to steps. Steps count from 0: step s is the update
/// from the weights after s updates to those after s + 1.
///
/// With W, S and D the warmup, stable and decay steps and η the peak:
///
///     s < W              η (s + 1) / W
///     W ≤ s < W + S      η
///     otherwise          η · shape((s − W − S) / D)
///
/// The first decay step still has the peak and the last one shape(1 − 1/D): no step is spent at zero.
///
/// `WarmupCosine` has W = S = 0. Its endpoint has D steps, of which V are warmup, and ends at the fraction f:
///
///     s < V              η (s + 1) / V
///     otherwise          η · (f + (1 − f) (1 + cos(π (s − V) / (D − V))) / 2)
public struct Schedule: Codable, Hashable, Sendable {
  /// η, the largest learning rate
  public let peak: Double
  /// W
  public let warmupSteps: Int
  /// S
  public let stableSteps: Int
  /// D, the steps of an endpoint
  public let decaySteps: Int
  /// V, the steps of linear rise that an endpoint begins with; 0 except for `WarmupCosine`
  public let endpointWarmupSteps: Int
  /// f, the fraction of the peak at which `shape` ends instead of 0
  public let final: Double
  /// How an endpoint falls; nil: it keeps the peak to the end (the constant schedule)
  public let shape: DecayShape?

  /// The plan's schedule at a peak of `learningRate`, with epochs of `stepsPerEpoch` steps.
  public init(_ plan: WarmupStableDecay, learningRate: Double, stepsPerEpoch: Int) {
    peak = learningRate
    warmupSteps = plan.warmup.steps(stepsPerEpoch: stepsPerEpoch)
    stableSteps = plan.stable.steps(stepsPerEpoch: stepsPerEpoch)
    decaySteps = plan.decay.steps(stepsPerEpoch: stepsPerEpoch)
    endpointWarmupSteps = 0
    final = 0
    shape = plan.shape
  }

  /// The plan's schedule at a peak of `learningRate`, with epochs of `stepsPerEpoch` steps.
  public init(_ plan: WarmupCosine, learningRate: Double, stepsPerEpoch: Int) {
    peak = learningRate
    warmupSteps = 0
    stableSteps = 0
    decaySteps = plan.length.steps(stepsPerEpoch: stepsPerEpoch)
    endpointWarmupSteps = min(plan.warmup.steps(stepsPerEpoch: stepsPerEpoch), decaySteps)
    final = plan.final
    shape = .cosine
  }

  /// One learning rate throughout: `steps` of trunk and, if endpoints branch, `endpointSteps` more at the same rate.
  public init(constant learningRate: Double, steps: Int, endpointSteps: Int = 0) {
    peak = learningRate
    warmupSteps = 0
    stableSteps = steps
    decaySteps = endpointSteps
    endpointWarmupSteps = 0
    final = 0
    shape = nil
  }

  /// W + S, the steps of the trunk, before the decay.
  public var trunkSteps: Int { warmupSteps + stableSteps }

  /// W + S + D, the steps of one run through all phases.
  public var totalSteps: Int { trunkSteps + decaySteps }

  /// The learning rate of step `step` of one run through all three phases; 0 after the last step.
  public func learningRate(atStep step: Int) -> Double {
    step < trunkSteps ? trunkLearningRate(atStep: step) : endpointLearningRate(atStep: step - trunkSteps)
  }

  /// The learning rate of the trunk at `step`, which stays at the peak however long the trunk is.
  public func trunkLearningRate(atStep step: Int) -> Double {
    step < warmupSteps ? peak * Double(step + 1) / Double(warmupSteps) : peak
  }

  /// The learning rate of an endpoint `step` steps after it has branched, wherever on the trunk that was; 0 after its
  /// last step.
  public func endpointLearningRate(atStep step: Int) -> Double {
    guard step < decaySteps else { return 0 }
    guard step >= endpointWarmupSteps else { return peak * Double(step + 1) / Double(endpointWarmupSteps) }
    guard let shape else { return peak }
    let factor = shape.factor(Double(step - endpointWarmupSteps) / Double(decaySteps - endpointWarmupSteps))
    return peak * (final + (1 - final) * factor)
  }
}
