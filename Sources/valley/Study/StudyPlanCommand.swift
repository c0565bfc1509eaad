import ArgumentParser
import Foundation
import Studies
import Support
import Workbench

/// `valley study plan`: what a study would do and how long it would take.
struct StudyPlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Show a study's grid, steps, parameters and estimated time, and run nothing.",
    discussion: """
      The time is estimated from a few training steps of each kind of run, measured on this machine. If data or device \
      are missing, the grid and its steps are shown without it.

      EXAMPLES
        valley study plan studies/demo.yaml
        valley study plan fig1 --scale paper
        valley study plan studies/demo.yaml --jobs 4 --json
      """)

  @OptionGroup var choice: StudyChoice
  @Option(help: "Worker processes at a time, for the time estimate.") var jobs: Int?
  @Flag(name: .customLong("no-calibration"), help: "Do not measure how long a step takes.") var noCalibration = false
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let plans = try choice.declarations().map {
      try StudyPlan($0.study(scale: choice.scale), jobs: jobs, isTimed: !noCalibration)
    }
    if json { return try plans.count == 1 ? printJSON(plans[0]) : printJSON(plans) }
    for (index, plan) in plans.enumerated() {
      if index > 0 { print("\n") }
      show(plan)
    }
  }

  private func show(_ plan: StudyPlan) {
    let heading = [plan.figure.map { "figure \($0)" }, plan.scale.map { "scale \($0.rawValue)" }].compactMap { $0 }
    print(
      "\(Terminal.colour(plan.name, 1))\(heading.isEmpty ? "" : " (\(heading.joined(separator: ", ")))")  \(plan.title)"
        + (plan.title == plan.description ? "\n" : "\n\(plan.description)\n"))
    let axes = plan.axes.map { $0.split(separator: ".").last.map(String.init) ?? $0 }
    let exponent = plan.momentumExponent
    var table = TextTable(axes + ["S̃ (p=\(exponent))", "runs", "steps/run", "branches", "parameters", "time/run"])
    for setting in plan.settings {
      table.rows.append(
        plan.axes.map { setting.values[$0] ?? "" } + [
          String(format: "%.3g", setting.noiseProxy), "\(setting.runs.count)", "\(setting.stepsPerRun)",
          "\(setting.branchPoints)", setting.parameters.map(String.init) ?? "–", clock(setting.secondsPerRun),
        ])
    }
    print(table.text)
    let workers =
      "\(counted(plan.jobs, "worker")) of \(counted(plan.threads, "thread"))"
    let time = plan.seconds.map { ", about \(clock($0)) with \(workers)" } ?? ""
    let pretraining = plan.pretrainingSteps > 0 ? " after \(plan.pretrainingSteps) of pretraining" : ""
    print("\n\(plan.runs) runs, \(plan.steps) training steps\(pretraining)\(time)")
    if let reason = plan.unmeasured { print("The time could not be measured: \(reason)") }
  }
}
