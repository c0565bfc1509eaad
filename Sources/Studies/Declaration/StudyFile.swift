import Foundation
import Schema
import Support

/// Reads `study.yaml`.
///
/// Every key has a default. A sweep replaces any keys of the schema, run by run:
///
///     name: demo
///     dataset: {name: glyphs, train: 4000, test: 2000}
///     model: {name: resnet, blocks: [1, 1, 1], width: 8}
///     optimizer: {lr: 0.1, momentum: 0.9, weight_decay: 5e-4}
///     batch_size: 128
///     schedule: {warmup: 1 epochs, stable: 25 epochs, decay: 6 epochs}
///     branch: {every: 5 epochs, endpoints: 2}
///     sweep: {grid: {optimizer.lr: [0.01, 0.1], batch_size: [32, 128]}}
///     seeds: [0, 1, 2]
///
/// Fine-tuning, further test sets, other ways to merge, and tasks:
///
///     start: {file: vit.safetensors}           # or {pretrain: {dataset: {…}, length: 5 epochs, optimizer: {lr: 0.1}}}
///     schedule: {name: warmup-cosine, warmup: 1 epochs, length: 20 epochs}
///     evaluate: [{name: ood, dataset: {…}}]
///     merge: {methods: [linear, {name: ties, density: 0.2, alphas: [0.5, 1]}], groups: [pairs, all]}
///     tasks: {datasets: [{name: a, dataset: {…}}, {name: b, dataset: {…}}], learning_rates: [1e-4, 1e-5]}
///     predictions: true
///     scales: {smoke: {dataset: {train: 400}}, paper: {}}
///
/// `grid` takes all combinations, `zip` goes through its lists in step, `list` names each setting; where several are
/// given, their combinations run. `lr`, `learning_rate` and `learningRate` are one key.
public enum StudyFile {
  /// Parses the text of a study. `file` is for messages, `name` for a study that does not say its own.
  /// - Parameters:
  ///   - settings: dotted keys with values in YAML, put in the place of what the text says, swept values included.
  ///     Another `model.name`, `dataset.name`, `optimizer.name` or `schedule.name` than the text's drops the other keys
  ///     beside it, which belong to what the text names.
  ///   - scale: one of the scales that the text declares; nil: the one it names under `scale`, otherwise `smoke` if it
  ///     declares that.
  ///     Every declared scale is checked, whichever is taken.
  public static func parse(
    _ text: String, file: String = "study.yaml", name: String = "study", settings: [Setting] = [],
    scale: StudyScale? = nil
  ) throws -> Study {
    var root: YAMLNode
    do {
      root = try YAMLNode.parse(text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text)
    } catch {
      throw YAMLFileError(file: file, problems: [error])
    }
    let reader = SchemaReader(StudyKeys.spelling)
    let scales = StudyScale.declared(in: root, reader)
    let chosen = StudyScale.chosen(scale, in: root, among: scales, reader)
    let plain = root.without("scales").without("scale")
    for (other, changes) in scales where other != chosen {
      _ = Study(plain.scaled(by: changes), name: name, fixed: [], reader)
    }
    root = chosen.flatMap { scales[$0] }.map { plain.scaled(by: $0) } ?? plain
    var fixed: Set<[String]> = []
    for setting in YAMLNode.inOrder(settings) {
      do {
        root = try root.fixing(setting)
        fixed.insert(StudyKeys.path(setting.key))
      } catch {
        reader.report(error.place, error.keyPath, error.message)
      }
    }
    var study = Study(root, name: name, fixed: fixed, reader)
    study.scale = chosen
    study.scales = StudyScale.allCases.filter { scales[$0] != nil }
    guard reader.problems.isEmpty else {
      throw YAMLFileError(file: file, problems: reader.problems.sorted { $0.place < $1.place })
    }
    return study
  }
}

extension Study {
  /// Reads a study's YAML, scales apart; what is wrong with it is reported.
  ///
  /// - Parameters:
  ///   - fallback: the name of a study that does not say its own
  ///   - fixed: the keys that a sweep does not vary, whatever it says
  fileprivate init(_ root: YAMLNode, name fallback: String, fixed: Set<[String]>, _ reader: SchemaReader) {
    let top = Fields(root, at: "", keys: StudyKeys.all, reader: reader)
    let header = StudyHeader.section.read(top)
    let name = header.name ?? fallback
    let isFileName =
      !name.isEmpty && !name.hasPrefix(".") && name.count <= 100
      && name.allSatisfy { $0.isLetter || $0.isNumber || "-_.".contains($0) }
    if !isFileName {
      reader.report(
        root.place(of: ["name"]), "name",
        "is \"\(name.shortened)\"; expected letters, digits, `-`, `_` and `.`, as it names a folder")
    }
    let grid = StudyGrid.section.read(top)
    let sweep = Sweep(grid.sweep, reader: reader)
    let isFixed = { (path: String) in fixed.contains(StudyKeys.path(path)) }
    let axes = sweep.axes.filter { !isFixed($0) }
    let swept = sweep.settings.map { $0.filter { !isFixed($0.path) } }
    // A broken sweep still has the rest of the file checked.
    let settings = swept.isEmpty ? [[]] : swept
    let count = settings.count.multipliedReportingOverflow(by: max(1, grid.seeds.count))
    var runs: [StudyRun] = []
    if count.overflow || count.partialValue > Sweep.mostRuns {
      reader.report(
        root.place(of: ["sweep"]), "sweep",
        "makes \(count.partialValue) runs; a study has at most \(Sweep.mostRuns)")
    } else {
      var seen: Set<RunConfiguration> = []
      for setting in settings {
        guard let changed = root.sweeping(setting, reader) else { continue }
        for seeds in grid.seeds.isEmpty ? [.init(0)] : grid.seeds {
          let configuration = RunConfiguration(changed, seeds: seeds, reader)
          guard reader.problems.isEmpty else { continue }
          let run = StudyRun(configuration: configuration, axes: axes)
          if !seen.insert(configuration).inserted {
            // What set the two apart is fixed.
            if axes.count < sweep.axes.count { continue }
            reader.report(
              setting.first?.node.place ?? root.place(of: ["seeds"]), "sweep",
              "makes the run \(run.label) more than once")
          }
          runs.append(run)
        }
      }
    }
    self.init(
      name: name, title: header.title ?? header.description ?? "", description: header.description ?? "",
      figure: header.figure, axes: axes,
      runs: Self.briefly(runs))
  }

  /// The runs with what a swept section is in each cut down to what the sweep changes in it.
  private static func briefly(_ runs: [StudyRun]) -> [StudyRun] {
    guard let first = runs.first else { return [] }
    var values = runs.map(\.values)
    for (axis, setting) in first.values.enumerated() {
      let path = StudyKeys.path(setting.key).joined(separator: ".")
      guard let names = StudyKeys.sections[path] else { continue }
      let inside = names.filter { name in
        Set(runs.map { $0.configuration.value(at: "\(path).\(name)") }).count > 1
      }
      for (index, run) in runs.enumerated() {
        let parts = inside.compactMap { name in
          run.configuration.value(at: "\(path).\(name)").flatMap { $0 == "null" ? nil : (name, $0) }
        }
        // A bare value of a field that is not the section's name would leave open what it is a value of.
        values[index][axis].value =
          inside == ["name"]
          ? parts.first?.1 ?? "none" : "{" + parts.map { "\($0.0): \($0.1)" }.joined(separator: ", ") + "}"
      }
    }
    return zip(runs, values).map { StudyRun($0.configuration, values: $1) }
  }
}

extension RunConfiguration {
  /// A run's configuration from the root of a study's YAML. Type errors are reported and the default stands in, so that
  /// reading goes on; impossible values are reported too, at the place where they are written.
  fileprivate init(_ root: YAMLNode, seeds: Seeds, _ reader: SchemaReader) {
    let top = Fields(root, at: "", keys: StudyKeys.all, reader: reader)
    self = Self.section.read(top, over: RunConfiguration(seeds: seeds))
    // A value that could not be read stands at its default, which nobody wrote.
    let reported = Set(reader.problems.map { StudyKeys.path($0.keyPath) })
    for problem in problems {
      let path = StudyKeys.path(problem.keyPath)
      if !reported.contains(path) { reader.report(root.place(of: path[...]), problem.keyPath, problem.message) }
    }
  }
}

extension YAMLNode {
  /// This tree with the values of a setting of a sweep; nil after a report where one has no place in it.
  fileprivate func sweeping(_ setting: [Sweep.Override], _ reader: SchemaReader) -> YAMLNode? {
    var changed = self
    for override in setting {
      let path = StudyKeys.path(override.path)
      guard let next = changed.setting(path[...], to: override.node) else {
        reader.report(
          place(of: path.dropLast()), path.dropLast().joined(separator: "."),
          "must be a mapping, since the sweep varies \(override.path)")
        return nil
      }
      changed = next
    }
    return changed
  }
}
