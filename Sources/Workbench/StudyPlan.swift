import Foundation
import Studies
import Support

/// What a study would do, and roughly how long that would take on this machine.
///
///     let study = try StudyFile.read(URL(fileURLWithPath: "study.yaml"))
///     print(try StudyPlan(study, jobs: 4).seconds ?? .nan)
public struct StudyPlan: Encodable, Sendable {
  /// The runs that differ in nothing but their seeds.
  public struct Setting: Encodable, Sendable {
    /// By swept key
    public var values: [String: String]
    /// Their values in one line, `optimizer.lr=0.1 batch_size=16`
    public var label: String
    /// Their ids
    public var runs: [String]
    /// S̃
    public var noiseProxy: Double
    /// Optimizer steps, trunk and endpoints together
    public var stepsPerRun: Int
    /// Of each run
    public var branchPoints: Int
    /// nil where they could not be counted
    public var parameters: Int?
    /// nil where the time was not measured
    public var secondsPerRun: Double?
  }

  /// The study's own
  public var name, description: String
  /// What it shows, in a line
  public var title: String
  /// The figures of the paper that it stands for
  public var figure: String?
  /// nil for a study without scales
  public var scale: StudyScale?
  /// Optimizer steps of all runs
  public var runs, steps: Int
  /// Of all pretrainings that runs start from, each done once
  public var pretrainingSteps: Int
  /// Worker processes at a time, and the threads of each
  public var jobs, threads: Int
  /// p in S̃
  public var momentumExponent: Int
  /// nil where the time was not measured
  public var seconds: Double?
  /// Why the time could not be measured
  public var unmeasured: String?
  /// In the order of the grid
  public var settings: [Setting]
  /// The swept keys; the first varies slowest
  public var axes: [String] = []

  private enum CodingKeys: CodingKey {
    case name, description, title, figure, scale, runs, steps, pretrainingSteps, jobs, threads, momentumExponent
    case seconds, unmeasured, settings
  }

  /// Plans a study.
  ///
  /// - Parameters:
  ///   - jobs: worker processes at a time; nil for `Study.usualJobs`
  ///   - isTimed: whether to time a few training steps of each kind of run, which reads its data
  public init(_ study: Study, jobs: Int? = nil, isTimed: Bool = true) {
    let executor = LocalExecutor(command: [], jobs: jobs ?? study.usualJobs)
    var clock = StepClock(threads: executor.threads, isStopped: !isTimed)
    let order = study.runs.map(\.values).reduce(into: [[Studies.Setting]]()) { if !$0.contains($1) { $0.append($1) } }
    let groups = Dictionary(grouping: study.runs, by: \.values)
    var seconds: [Double]? = []
    let settings = order.map { values -> Setting in
      let runs = groups[values] ?? []
      let configuration = runs[0].configuration
      let steps = configuration.steps()
      let measured = clock.estimate(configuration)
      let time = measured?.seconds(configuration)
      seconds = time.flatMap { time in seconds.map { $0 + runs.map { _ in time } } }
      return Setting(
        values: Dictionary(values.map { ($0.key, $0.value) }) { first, _ in first },
        label: values.map { "\($0.key)=\($0.value)" }.joined(separator: " "), runs: runs.map(\.id),
        noiseProxy: configuration.noiseProxy, stepsPerRun: steps.total, branchPoints: steps.branches.count,
        parameters: measured?.parameters, secondsPerRun: time)
    }
    // A pretraining is done once, by whichever run comes first, while the others wait for it.
    let pretrainings = Set(study.runs.compactMap(\.configuration.pretraining))
    let pretrainingSeconds = pretrainings.reduce(0) { $0 + (clock.estimate($1)?.trainingSeconds($1) ?? 0) }
    (name, description, title) = (study.name, study.description, study.title)
    (figure, scale, axes) = (study.figure, study.scale, study.axes)
    (runs, steps) = (study.runs.count, settings.reduce(0) { $0 + $1.stepsPerRun * $1.runs.count })
    pretrainingSteps = pretrainings.reduce(0) { $0 + $1.trainingSteps }
    (self.jobs, threads) = (executor.jobs, executor.threads)
    momentumExponent = study.runs.first?.configuration.measure.momentumExponent ?? 1
    self.seconds = seconds.map { Self.makespan($0, workers: executor.jobs) + pretrainingSeconds }
    (unmeasured, self.settings) = (clock.trouble, settings)
  }

  /// When the last worker is done, the longest runs going first.
  private static func makespan(_ seconds: [Double], workers: Int) -> Double {
    var busy = [Double](repeating: 0, count: max(1, workers))
    for time in seconds.sorted(by: >) {
      if let first = busy.indices.min(by: { busy[$0] < busy[$1] }) { busy[first] += time }
    }
    return busy.max() ?? 0
  }
}

/// Times the steps of each kind of run once.
private struct StepClock {
  let threads: Int
  var isStopped: Bool
  /// Why it stopped.
  private(set) var trouble: String?
  private var estimates: [RunConfiguration: RunEstimate] = [:]

  init(threads: Int, isStopped: Bool) { (self.threads, self.isStopped) = (threads, isStopped) }

  mutating func estimate(_ configuration: RunConfiguration) -> RunEstimate? {
    let workload = configuration.workload
    if !isStopped, estimates[workload] == nil {
      do {
        estimates[workload] = try RunEstimate(measuring: workload, threads: threads)
      } catch {
        // Grid and steps are of use before the data is there.
        (isStopped, trouble) = (true, "\(error)")
      }
    }
    return estimates[workload]
  }
}

extension Study {
  /// One worker per processor, up to eight, since single-threaded workers together do more than one with all threads;
  /// one on a GPU.
  public var usualJobs: Int {
    let isOnCPU = runs.allSatisfy { $0.configuration.device == "cpu" }
    return isOnCPU ? max(1, min(Machine.processors, runs.count, 8)) : 1
  }
}
