import Schema
import Training

/// The learning-rate schedule as declared; `resolved` counts it in steps.
public struct ScheduleChoice: Codable, Hashable, Sendable {
  /// The schedules there are.
  public enum Name: String, Codable, CaseIterable, Sendable {
    /// A trunk at the peak after a warmup; endpoints decay.
    case warmupStableDecay = "warmup-stable-decay"
    /// Without a trunk: every endpoint warms up by itself, and falls along half a cosine.
    case warmupCosine = "warmup-cosine"
    /// At the peak from beginning to end, in trunk and endpoints alike.
    case constant
  }
  /// Which schedule.
  public var name: Name
  /// Zero for the constant schedule.
  public var warmup: TrainingLength
  /// The trunk after the warmup; zero for warmup-cosine.
  public var stable: TrainingLength
  /// How long an endpoint trains after it branched (at the peak learning rate if the schedule is constant); zero for
  /// warmup-cosine.
  public var decay: TrainingLength
  /// For warmup-stable-decay only.
  public var shape: DecayShape?
  /// How long an endpoint trains, its warmup included; for warmup-cosine only.
  public var length: TrainingLength?
  /// The fraction of the peak at the end; for warmup-cosine only.
  public var final: Double?

  /// What is nil gets the usual value for the schedule called `name`.
  public init(
    name: Name = .warmupStableDecay, warmup: TrainingLength? = nil, stable: TrainingLength? = nil,
    decay: TrainingLength? = nil, shape: DecayShape? = nil, length: TrainingLength? = nil, final: Double? = nil
  ) {
    let isCosine = name == .warmupCosine
    self.name = name
    self.warmup = warmup ?? (name == .constant ? .zero : .epochs(1))
    self.stable = stable ?? (isCosine ? .zero : .epochs(25))
    self.decay = decay ?? (isCosine ? .zero : .epochs(6))
    self.shape = shape ?? (name == .warmupStableDecay ? .oneMinusSquareRoot : nil)
    self.length = length ?? (isCosine ? .epochs(20) : nil)
    self.final = final ?? (isCosine ? 0 : nil)
  }
}

extension ScheduleChoice {
  static let section = Section(
    ScheduleChoice(), variants: Name.allCases.map { ScheduleChoice(name: $0) }, variant: { $0.name.rawValue }
  ) {
    Key(
      "name", get: { $0.name }, set: { if let name = $1 { $0 = .init(name: name) } }, .choice,
      "the course of the learning rate; warmup-cosine has no trunk")
    Key("warmup", \.warmup, .length, "how long the learning rate rises to its peak")
    Key("stable", \.stable, .length, "how long the trunk goes on at the peak after the warmup")
    Key("decay", \.decay, .length, "how long an endpoint trains after it branched")
    Key("shape", \.shape, .choice, "the curve of the decay")
    Key(
      "length", \.length, .length(isPositive: true), "how long an endpoint of warmup-cosine trains, its warmup included"
    )
    Key(
      "final", \.final, .number(.within(0...1), "a fraction of the peak learning rate, 0 … 1"),
      "where warmup-cosine ends")
  }

  /// The schedule counted in steps.
  ///
  /// - Parameters:
  ///   - learningRate: the peak
  ///   - stepsPerEpoch: optimizer steps that make an epoch
  public func resolved(learningRate: Double, stepsPerEpoch: Int) -> Training.Schedule {
    if name == .warmupCosine {
      return Training.Schedule(
        WarmupCosine(warmup: warmup, length: length ?? .zero, final: final ?? 0), learningRate: learningRate,
        stepsPerEpoch: stepsPerEpoch)
    }
    guard let shape, name == .warmupStableDecay else {
      return Training.Schedule(
        constant: learningRate, steps: stable.steps(stepsPerEpoch: stepsPerEpoch),
        endpointSteps: decay.steps(stepsPerEpoch: stepsPerEpoch))
    }
    return Training.Schedule(
      WarmupStableDecay(warmup: warmup, stable: stable, decay: decay, shape: shape), learningRate: learningRate,
      stepsPerEpoch: stepsPerEpoch)
  }
}
