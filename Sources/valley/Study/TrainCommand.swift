import ArgumentParser
import Foundation
import Studies
import Support
import Torch
import Workbench

/// `valley train`: one run on its own, without a study.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a trunk, branch and decay endpoints, merge them and measure the gain: one run.",
    discussion: """
      The configuration is a study's file that declares one run, or comes down to one with the options given here; \
      without a file every value has its default. The folder has the form of a run in a study: run.json, \
      metrics.jsonl, results.jsonl, checkpoints/. A run in it that was interrupted continues from its last checkpoint; \
      without any configuration, whatever run it holds does.

      Ctrl-C writes a checkpoint and ends with exit code 130; a second Ctrl-C ends at once. Exit code 75: another \
      process owns the folder.

      EXAMPLES
        valley train --data glyphs --model mlp --lr 0.02 -o out/first
        valley train studies/demo.yaml --lr 0.02 --batch-size 64 --seed 0 -o out/one
        valley train --data cifar10 --model resnet18 --set model.width=16 \
          --set 'schedule.stable=10 epochs' -o out/cifar
        valley train -o out/cifar
        valley train --data cifar10 --model resnet18 --optimizer adamw --lr 1e-3 --clip 1 \
          --label-smoothing 0.1 -o out/adamw
      """)

  @Argument(help: "A study, a YAML file.", completion: .file(extensions: ["yaml", "yml"])) var config: String?
  @OptionGroup var options: RunOptions
  @OptionGroup(title: "Training") var training: TrainingOptions
  @Option(parsing: .unconditional, help: "The seed of initialisation, order and augmentation.") var seed: String?
  @Option(help: "Threads; a continued run keeps the number it had.  (default: the number of processors)")
  var threads: Int?
  @Option(name: .shortAndLong, help: "The run's folder.", completion: .directory) var output: String
  @Flag(help: "Print the results as JSON.") var json = false

  func validate() throws { try validateThreads(threads) }

  struct Summary: Encodable {
    var folder, run, status: String
    var divergedAtStep: Int?
    var stepsDone, stepsTotal: Int
    var seconds: Double
    var results: [ResultRow]
  }

  private var settings: [Setting] {
    training.settings + (seed.map { [Setting(key: "seeds", value: $0)] } ?? []) + options.settings
  }

  func run() throws {
    let url = URL(fileURLWithPath: output)
    let existed = FileManager.default.fileExists(atPath: url.path)
    let found = existed ? try RunRecord.read(url) : nil
    if existed, found == nil, !((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? ["?"]).isEmpty {
      throw CommandError("\(output) is not empty and not a run's folder; choose another with --output")
    }
    let configuration =
      config == nil && settings.isEmpty && found != nil
      ? nil : try RunSource(study: config, settings: settings).configuration()
    let folder = try lockedFolder(url, configuration)
    defer { folder.close() }
    if !folder.record.status.isComplete {
      Libtorch.keepFreedMemory()
      Libtorch.setThreads(threads ?? folder.record.versions?.threads ?? Machine.processors)
      do {
        try perform(folder)
      } catch {
        // An attempt that came to nothing leaves nothing.
        if !existed, folder.metrics.length == 0 { try? FileManager.default.removeItem(at: url) }
        throw error
      }
    }
    try show(folder)
  }

  private func lockedFolder(_ url: URL, _ configuration: RunConfiguration?) throws -> RunFolder {
    do {
      return try RunFolder(url, configuration: configuration)
    } catch let error as FolderLock.Held {
      Terminal.writeError("\(error)\n")
      throw ExitCode(RunWorker.Exit.held)
    }
  }

  private func perform(_ folder: RunFolder) throws {
    let steps = folder.record.stepsTotal
    let resumes = folder.record.attempts > 0
    Terminal.writeError(
      "run \(folder.configuration.id): \(steps) steps, \(counted(Libtorch.threads, "thread")), "
        + "in \(output)\(resumes ? "; continuing" : "")\n")
    let stop = StopRequest()
    let signals = StopSignals {
      guard stop.request() else { _exit(130) }
      Terminal.writeError("\nstopping: the step is finished and a checkpoint written; Ctrl-C again ends at once\n")
    }
    defer { signals.cancel() }
    let report = Reporter()
    let control = RunControl(
      report: { report.show("step", $0.done, of: steps, $0.phase) }, shouldStop: { stop.isRequested })
    let outcome = try folder.perform(RunExecution.run, versions: RunRecord.Versions.current, control: control)
    report.finish()
    if outcome == .stopped {
      Terminal.writeError(
        "stopped at step \(folder.record.stepsDone) of \(steps); run `valley train -o \(output)` to continue\n")
      throw ExitCode(130)
    }
  }

  private func show(_ folder: RunFolder) throws {
    let record = folder.record
    let rows = try RowFile.rows(ResultRow.self, in: folder.results.url)
    var diverged: Int?
    if case .diverged(let step) = record.status { diverged = step }
    if json {
      return try printJSON(
        Summary(
          folder: folder.url.path, run: record.id, status: record.status.name, divergedAtStep: diverged,
          stepsDone: record.stepsDone, stepsTotal: record.stepsTotal, seconds: record.seconds, results: rows))
    }
    if let diverged {
      print("diverged: the training loss was not finite at step \(diverged); try a smaller learning rate")
    }
    guard !rows.isEmpty else { return }
    var table = TextTable([
      "epoch", "weights", "test accuracy", "test loss", "train loss", "gain pp", "± pp", "loss gain",
    ])
    let isLanguage = folder.configuration.dataset.name.isText
    if isLanguage { table.header.insert("perplexity", at: 4) }
    for row in rows {
      let name = row.title
      table.rows.append([
        String(format: "%.3g", row.epoch), name, String(format: "%.2f %%", row.testAccuracy * 100),
        String(format: "%.4f", row.testLoss), row.trainLoss.map { String(format: "%.4f", $0) } ?? "",
        row.accuracyGain.map { String(format: "%+.2f", $0 * 100) } ?? "",
        row.accuracyGainError.map { String(format: "%.2f", $0 * 100) } ?? "",
        row.lossGain.map { String(format: "%+.4f", $0) } ?? "",
      ])
      if isLanguage { table.rows[table.rows.count - 1].insert(String(format: "%.2f", exp(row.testLoss)), at: 4) }
    }
    print(table.text)
  }
}
