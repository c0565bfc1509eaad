import ArgumentParser
import Foundation
import Studies
import Support

/// `valley study`: plan, run and look at studies.
struct StudyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "study",
    abstract: "Plan, run and look at studies: grids of runs declared in a YAML file.",
    discussion: """
      A study's folder holds study.yaml, runs/<id>/ for each run, and an index that is rebuilt from them.

      The paper's figures come with Valley as studies: `valley study list` shows them, and their names stand for their files.

      EXAMPLES
        valley study list
        valley study plan fig1 --scale smoke
        valley study run studies/demo.yaml --jobs 2
        valley study status out/demo
        valley study export out/demo --csv -o demo.csv
      """,
    subcommands: [
      StudyPlan.self, StudyRunCommand.self, StudyStatus.self, StudyList.self, StudyKeysCommand.self,
      StudyExportCommand.self, StudyEnsemble.self, StudyFigures.self,
    ])
}

/// `valley study plan`: what a study would do and how long it would take.
struct StudyPlan: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Show the grid of a study, its steps, parameters and estimated time, and run nothing.",
    discussion: """
      The time comes from measuring a few training steps of each kind of run on this machine; where its data or device is missing, the
      grid and its steps are shown without.

      EXAMPLES
        valley study plan studies/demo.yaml
        valley study plan fig1 --scale paper
        valley study plan studies/demo.yaml --jobs 4 --json
      """)

  @OptionGroup var choice: StudyChoice
  @Option(help: "Worker processes at a time, for the estimated time.") var jobs: Int?
  @Flag(name: .customLong("no-calibration"), help: "Do not measure how long a step takes.") var noCalibration = false
  @Flag(help: "Print JSON.") var json = false

  /// The runs that differ in nothing but their seeds.
  struct Setting: Encodable {
    var values: [String: String]
    var label: String
    var runs: [String]
    var noiseProxy: Double
    var stepsPerRun: Int
    var branchPoints: Int
    var parameters: Int?
    var secondsPerRun: Double?
  }

  struct Plan: Encodable {
    var name, description: String
    var title: String
    var figure: String?
    var scale: StudyScale?
    var runs, steps: Int
    /// Of all pretrainings that runs start from, each done once.
    var pretrainingSteps: Int
    var jobs, threads: Int
    var momentumExponent: Int
    var seconds: Double?
    /// Why the time could not be measured.
    var unmeasured: String?
    var settings: [Setting]
  }

  func run() throws {
    let plans = try choice.declarations().map { declaration in
      let study = try declaration.study(scale: choice.scale)
      let executor = LocalExecutor(command: [], jobs: jobs ?? study.usualJobs)
      return (study, plan(study, executor))
    }
    if json { return try plans.count == 1 ? printJSON(plans[0].1) : printJSON(plans.map(\.1)) }
    for (index, (study, plan)) in plans.enumerated() {
      if index > 0 { print("\n") }
      show(study, plan)
    }
  }

  private func show(_ study: Study, _ plan: Plan) {
    let heading = [plan.figure.map { "figure \($0)" }, plan.scale.map { "scale \($0.rawValue)" }].compactMap { $0 }
    print(
      "\(Terminal.colour(plan.name, 1))\(heading.isEmpty ? "" : " (\(heading.joined(separator: ", ")))")  \(plan.title)"
        + (plan.title == plan.description ? "\n" : "\n\(plan.description)\n"))
    let axes = study.axes.map { $0.split(separator: ".").last.map(String.init) ?? $0 }
    let exponent = plan.momentumExponent
    var table = TextTable(axes + ["S̃ (p=\(exponent))", "runs", "steps/run", "branches", "parameters", "time/run"])
    for setting in plan.settings {
      table.rows.append(
        study.axes.map { setting.values[$0] ?? "" } + [
          String(format: "%.3g", setting.noiseProxy), "\(setting.runs.count)", "\(setting.stepsPerRun)",
          "\(setting.branchPoints)", setting.parameters.map(String.init) ?? "–", clock(setting.secondsPerRun),
        ])
    }
    print(table.text)
    let workers =
      "\(plan.jobs) \(plan.jobs == 1 ? "worker" : "workers") of \(plan.threads) \(plan.threads == 1 ? "thread" : "threads")"
    let time = plan.seconds.map { ", about \(clock($0)) with \(workers)" } ?? ""
    let pretraining = plan.pretrainingSteps > 0 ? " after \(plan.pretrainingSteps) of pretraining" : ""
    print("\n\(plan.runs) runs, \(plan.steps) training steps\(pretraining)\(time)")
    if let reason = plan.unmeasured { print("The time could not be measured: \(reason)") }
  }

  private func plan(_ study: Study, _ executor: LocalExecutor) -> Plan {
    var unmeasured: String?
    var estimates: [RunConfiguration: RunEstimate] = [:]
    func estimate(_ configuration: RunConfiguration) -> RunEstimate? {
      let workload = configuration.workload
      if !noCalibration, unmeasured == nil, estimates[workload] == nil {
        do {
          estimates[workload] = try RunEstimate(measuring: workload, threads: executor.threads)
        } catch {
          // Grid and steps are of use before the data is there.
          unmeasured = "\(error)"
        }
      }
      return estimates[workload]
    }
    var order: [[Studies.Setting]] = []
    var groups: [[Studies.Setting]: [StudyRun]] = [:]
    for run in study.runs {
      if groups[run.values] == nil { order.append(run.values) }
      groups[run.values, default: []].append(run)
    }
    var seconds: [Double]? = []
    let settings = order.map { values -> Setting in
      let runs = groups[values] ?? []
      let configuration = runs[0].configuration
      let steps = configuration.steps()
      let measured = estimate(configuration)
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
    let pretrainingSeconds = pretrainings.reduce(0) { $0 + (estimate($1)?.trainingSeconds($1) ?? 0) }
    return Plan(
      name: study.name, description: study.description, title: study.title, figure: study.figure, scale: study.scale,
      runs: study.runs.count,
      steps: settings.reduce(0) { $0 + $1.stepsPerRun * $1.runs.count },
      pretrainingSteps: pretrainings.reduce(0) { $0 + $1.trainingSteps }, jobs: executor.jobs,
      threads: executor.threads,
      momentumExponent: study.runs.first?.configuration.measure.momentumExponent ?? 1,
      seconds: seconds.map { Self.makespan($0, workers: executor.jobs) + pretrainingSeconds }, unmeasured: unmeasured,
      settings: settings)
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

extension Study {
  /// One worker a processor, up to eight, since single-threaded workers together do more than one with all threads; one on a GPU.
  var usualJobs: Int {
    let isOnCPU = runs.allSatisfy { $0.configuration.device == "cpu" }
    return isOnCPU ? max(1, min(Machine.processors, runs.count, 8)) : 1
  }
}
