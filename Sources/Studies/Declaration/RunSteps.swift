import Training

/// One of the endpoints that branch at every branch point.
public struct RunEndpoint: Hashable, Sendable {
  /// Its place among the endpoints of a branch point.
  public let index: Int
  /// Which of the run's tasks it learns; nil in a run without tasks.
  public let task: Int?
  /// The peak.
  public let learningRate: Double
  /// Counted in steps of its own training set.
  public let schedule: Training.Schedule

  /// How long it trains.
  public var steps: Int { schedule.decaySteps }
}

/// The lengths of a run, counted in optimizer steps.
public struct RunSteps: Hashable, Sendable {
  /// Steps that make an epoch of the own dataset.
  public let perEpoch: Int
  /// The trunk's, counted in steps of the own dataset.
  public let schedule: Training.Schedule
  /// Trunk lengths at which endpoints branch, rising.
  public let branches: [Int]
  /// What branches at each of them.
  public let plans: [RunEndpoint]

  /// How many branch at each branch point.
  public var endpoints: Int { plans.count }
  /// The trunk is trained no further than its last branch point.
  public var trunk: Int { branches.last ?? 0 }
  /// Of the longest endpoint.
  public var endpoint: Int { plans.map(\.steps).max() ?? 0 }
  /// Of all endpoints of one branch point.
  public var perBranch: Int { plans.reduce(0) { $0 + $1.steps } }
  /// Of the trunk and all endpoints together.
  public var total: Int { trunk + branches.count * perBranch }

  /// Steps done before an endpoint of a branch starts, earlier branches and the trunk up to there included.
  func done(before endpoint: Int, of branch: Int) -> Int {
    branches[branch] + branch * perBranch + plans.prefix(endpoint).reduce(0) { $0 + $1.steps }
  }
}

extension RunConfiguration {
  /// The run in steps.
  /// - Parameters:
  ///   - trainingExamples: how many examples the dataset turned out to have; nil: as declared
  ///   - taskExamples: the same of each task's
  public func steps(trainingExamples: Int? = nil, taskExamples: [Int]? = nil) -> RunSteps {
    func perEpoch(_ examples: Int) -> Int { max(1, examples / max(1, batchSize)) }
    let own = perEpoch(trainingExamples ?? dataset.trainingExamples)
    let schedule = self.schedule.resolved(learningRate: optimizer.learningRate, stepsPerEpoch: own)
    var plans = (0..<max(0, branch.endpoints)).map {
      RunEndpoint(index: $0, task: nil, learningRate: optimizer.learningRate, schedule: schedule)
    }
    if let tasks {
      let examples = taskExamples ?? tasks.datasets.map(\.dataset.trainingExamples)
      plans = examples.indices.flatMap { task in
        (tasks.learningRates ?? [optimizer.learningRate]).map { rate in
          RunEndpoint(
            index: 0, task: task, learningRate: rate,
            schedule: self.schedule.resolved(learningRate: rate, stepsPerEpoch: perEpoch(examples[task])))
        }
      }
      plans = plans.enumerated().map {
        RunEndpoint(index: $0, task: $1.task, learningRate: $1.learningRate, schedule: $1.schedule)
      }
    }
    return RunSteps(
      perEpoch: own, schedule: schedule,
      branches: branch.points(trunkSteps: schedule.trunkSteps, stepsPerEpoch: own), plans: plans)
  }
}

extension BranchChoice {
  /// Trunk steps that branch: `from`, then every `every`, up to the trunk's end. Each point is rounded to a step by
  /// itself, so fractions of an epoch do not drift.
  func points(trunkSteps: Int, stepsPerEpoch: Int) -> [Int] {
    guard trunkSteps > 0 else { return [0] }
    guard let every else {
      let first = from?.steps(stepsPerEpoch: stepsPerEpoch) ?? trunkSteps
      return first <= trunkSteps ? Array(Set([first, trunkSteps])).sorted() : []
    }
    func steps(_ length: TrainingLength) -> Double {
      switch length {
      case .epochs(let epochs): epochs * Double(stepsPerEpoch)
      case .steps(let steps): Double(steps)
      }
    }
    let stride = steps(every)
    guard stride >= 0.5 else { return [] }
    let first = from.map(steps) ?? stride
    var points: [Int] = []
    for index in 0..<10_000 {
      let point = (first + Double(index) * stride).rounded()
      guard point <= Double(trunkSteps) else { break }
      if Int(point) != points.last { points.append(Int(point)) }
    }
    return points
  }
}
