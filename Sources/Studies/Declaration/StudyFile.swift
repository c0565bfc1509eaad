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
/// `grid` takes all combinations, `zip` goes through its lists in step, `list` names each setting; where several are given, their
/// combinations run. `lr`, `learning_rate` and `learningRate` are one key.
public enum StudyFile {
  /// Reads a file; throws `FileError` if it cannot be read, `YAMLFileError` with everything that is wrong in it.
  /// - Parameters:
  ///   - settings: values that take the place of the file's, see `parse`
  ///   - scale: see `parse`
  public static func read(_ url: URL, settings: [Setting] = [], scale: StudyScale? = nil) throws -> Study {
    try StudyDeclaration(url).study(scale: scale, settings: settings)
  }

  /// Parses the text of a study. `file` is for messages, `name` for a study that does not say its own.
  /// - Parameters:
  ///   - settings: dotted keys with values in YAML, put in the place of what the text says, swept values included. Another
  ///     `model.name`, `dataset.name`, `optimizer.name` or `schedule.name` than the text's drops the other keys beside it, which belong
  ///     to what it names.
  ///   - scale: one of the scales that the text declares; nil: the one it names under `scale`, otherwise `smoke` if it declares that.
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
    let reader = SchemaReader()
    let scales = reader.scales(root)
    let chosen = reader.scale(scale, root, among: scales)
    let plain = root.without("scales").without("scale")
    for (other, changes) in scales where other != chosen {
      _ = reader.study(plain.scaled(by: changes), name: name, fixed: [])
    }
    root = chosen.flatMap { scales[$0] }.map { plain.scaled(by: $0) } ?? plain
    var fixed: Set<[String]> = []
    for setting in YAMLNode.inOrder(settings) {
      do {
        root = try root.fixing(setting)
        fixed.insert(SchemaKey.path(setting.key))
      } catch {
        reader.report(error.place, error.keyPath, error.message)
      }
    }
    var study = reader.study(root, name: name, fixed: fixed)
    study.scale = chosen
    study.scales = StudyScale.allCases.filter { scales[$0] != nil }
    guard reader.problems.isEmpty else {
      throw YAMLFileError(file: file, problems: reader.problems.sorted { $0.place < $1.place })
    }
    return study
  }
}

extension SchemaReader {
  /// More runs than this are taken for a mistake.
  private static let mostRuns = 10_000

  /// - Parameter fixed: the keys that a sweep does not vary, whatever it says
  fileprivate func study(_ root: YAMLNode, name fallback: String, fixed: Set<[String]>) -> Study {
    let top = fields(root, at: "")
    let name = top.text("name") ?? fallback
    let isFileName =
      !name.isEmpty && !name.hasPrefix(".") && name.count <= 100
      && name.allSatisfy { $0.isLetter || $0.isNumber || "-_.".contains($0) }
    if !isFileName {
      report(
        root.place(of: ["name"]), "name",
        "is \"\(name.shortened)\"; expected letters, digits, `-`, `_` and `.`, as it names a folder")
    }
    let seeds = self.seeds(top)
    let isFixed = { (path: String) in fixed.contains(SchemaKey.path(path)) }
    let sweep = sweep(top)
    let axes = sweep.axes.filter { !isFixed($0) }
    let swept = sweep.settings.map { $0.filter { !isFixed($0.path) } }
    // A broken sweep still has the rest of the file checked.
    let settings = swept.isEmpty ? [[]] : swept
    let count = settings.count.multipliedReportingOverflow(by: max(1, seeds.count))
    var runs: [StudyRun] = []
    if count.overflow || count.partialValue > Self.mostRuns {
      report(
        root.place(of: ["sweep"]), "sweep", "makes \(count.partialValue) runs; a study has at most \(Self.mostRuns)")
    } else {
      var seen: [RunConfiguration: Int] = [:]
      for setting in settings {
        guard let changed = apply(setting, to: root) else { continue }
        for seed in seeds.isEmpty ? [.init(0)] : seeds {
          let configuration = configuration(changed, seeds: seed)
          guard problems.isEmpty else { continue }
          let run = StudyRun(configuration: configuration, axes: axes)
          if seen.updateValue(runs.count, forKey: configuration) != nil {
            // What set the two apart is fixed.
            if axes.count < sweep.axes.count { continue }
            report(
              setting.first?.node.place ?? root.place(of: ["seeds"]), "sweep",
              "makes the run \(run.label) more than once")
          }
          runs.append(run)
        }
      }
    }
    return Study(
      name: name, title: top.text("title"), description: top.text("description") ?? "", figure: top.text("figure"),
      axes: axes, runs: Self.briefly(runs))
  }

  /// The runs with what a swept section is in each cut down to what the sweep changes in it.
  private static func briefly(_ runs: [StudyRun]) -> [StudyRun] {
    guard let first = runs.first else { return [] }
    var values = runs.map(\.values)
    for (axis, setting) in first.values.enumerated() {
      let path = SchemaKey.path(setting.key).joined(separator: ".")
      guard let names = keys[path] else { continue }
      let inside = names.filter { name in
        Set(runs.map { $0.configuration.value(at: "\(path).\(name)") }).count > 1
      }
      for (index, run) in runs.enumerated() {
        let parts = inside.compactMap { name in
          run.configuration.value(at: "\(path).\(name)").flatMap { $0 == "null" ? nil : (name, $0) }
        }
        values[index][axis]
          .value  // A bare value of a field that is not the section's name would leave open what it is a value of.
        =
          inside == ["name"]
          ? parts.first?.1 ?? "none" : "{" + parts.map { "\($0.0): \($0.1)" }.joined(separator: ", ") + "}"
      }
    }
    return Swift.zip(runs, values).map { StudyRun($0.configuration, values: $1) }
  }

  /// One swept value.
  private struct Override {
    let path: String
    let node: YAMLNode
  }

  private func apply(_ setting: [Override], to root: YAMLNode) -> YAMLNode? {
    var changed = root
    for override in setting {
      let path = SchemaKey.path(override.path)
      guard let next = changed.setting(path[...], to: override.node) else {
        let parent = path.dropLast().joined(separator: ".")
        report(root.place(of: path.dropLast()), parent, "must be a mapping, since the sweep varies \(override.path)")
        return nil
      }
      changed = next
    }
    return changed
  }

  /// The swept keys and, for each setting of the sweep, their values. Without a sweep: no keys, one empty setting.
  private func sweep(_ top: Fields) -> (axes: [String], settings: [[Override]]) {
    guard let node = top.node("sweep") else { return ([], [[]]) }
    let fields = top.fields("sweep")
    var axes: [String] = []
    var settings: [[Override]] = [[]]
    for entry in node.entries ?? [] where !entry.value.isNull && fields.values[entry.key] != nil {
      let part: [[Override]]
      switch entry.key {
      case "grid": part = grid(entry.value)
      case "zip": part = zip(entry.value)
      default: part = list(entry.value)
      }
      guard let keys = part.first?.map(\.path) else { continue }
      for key in keys {
        if axes.contains(where: { SchemaKey.path($0) == SchemaKey.path(key) }) {
          report(entry.place, "sweep.\(entry.key)", "sweeps \(key), which another part of the sweep varies too")
        }
        axes.append(key)
      }
      guard settings.count.multipliedReportingOverflow(by: part.count).partialValue <= Self.mostRuns else {
        report(node.place, "sweep", "makes more than \(Self.mostRuns) runs")
        return (axes, [])
      }
      settings = settings.flatMap { setting in part.map { setting + $0 } }
    }
    return (axes, settings)
  }

  private func grid(_ node: YAMLNode) -> [[Override]] {
    var settings: [[Override]] = [[]]
    for (path, values) in columns(node, at: "sweep.grid") {
      guard settings.count.multipliedReportingOverflow(by: values.count).partialValue <= Self.mostRuns else {
        report(node.place, "sweep.grid", "makes more than \(Self.mostRuns) runs")
        return []
      }
      settings = settings.flatMap { setting in values.map { setting + [Override(path: path, node: $0)] } }
    }
    return settings
  }

  private func zip(_ node: YAMLNode) -> [[Override]] {
    let columns = columns(node, at: "sweep.zip")
    let counts = columns.map { "\($0.path) has \($0.values.count)" }
    guard let first = columns.first else { return [[]] }
    guard columns.allSatisfy({ $0.values.count == first.values.count }) else {
      report(node.place, "sweep.zip", "has lists of different lengths: \(counts.joined(separator: ", "))")
      return []
    }
    return first.values.indices.map { index in columns.map { Override(path: $0.path, node: $0.values[index]) } }
  }

  private func list(_ node: YAMLNode) -> [[Override]] {
    guard let elements = node.elements else {
      report(node.place, "sweep.list", "is \(node.kind); expected a list such as [{optimizer.lr: 0.1, batch_size: 32}]")
      return []
    }
    if elements.isEmpty { report(node.place, "sweep.list", "is empty; expected at least one setting") }
    let settings = elements.map { element -> [Override] in
      guard let entries = element.entries, !entries.isEmpty else {
        report(element.place, "sweep.list", "has \(element.kind); expected a mapping such as {optimizer.lr: 0.1}")
        return []
      }
      return checkKeys(entries, at: "sweep.list").map { Override(path: $0.name, node: $0.value) }
    }
    let names = settings.map { $0.map { SchemaKey.path($0.path) } }
    for (element, keys) in Swift.zip(elements, names) where Set(keys) != Set(names.first ?? []) {
      report(element.place, "sweep.list", "has other keys than the first setting; each must set the same ones")
    }
    return settings
  }

  /// The keys of a grid or zip with their lists.
  private func columns(_ node: YAMLNode, at path: String) -> [(path: String, values: [YAMLNode])] {
    guard let entries = node.entries else {
      report(node.place, path, "is \(node.kind); expected a mapping such as {optimizer.lr: [0.01, 0.1]}")
      return []
    }
    if entries.isEmpty { report(node.place, path, "is empty; expected keys with lists of values") }
    return checkKeys(entries, at: path).compactMap { entry in
      guard let values = entry.value.elements else {
        report(
          entry.value.place, "\(path).\(entry.name)", "is \(entry.value.kind); expected a list such as [0.01, 0.1]")
        return nil
      }
      if values.isEmpty { report(entry.value.place, "\(path).\(entry.name)", "is empty; expected at least one value") }
      return (entry.name, values)
    }
  }

  /// The entries whose keys can be swept; the others are reported.
  private func checkKeys(_ entries: [YAMLNode.Entry], at path: String) -> [YAMLNode.Entry] {
    var seen: Set<[String]> = []
    return entries.filter { entry in
      let key = SchemaKey.path(entry.name)
      if !Self.sweepable.contains(key.joined(separator: ".")) {
        let guess = closest(to: key.joined(separator: "."), in: Self.sweepable).map { "did you mean `\($0)`?" }
        report(
          entry.place, "\(path).\(entry.name)",
          "is not a key that can be swept; " + (guess ?? "expected a dotted key such as optimizer.lr or batch_size"))
        return false
      } else if !seen.insert(key).inserted {
        report(entry.place, "\(path).\(entry.name)", "is given more than once")
        return false
      }
      return true
    }
  }

  private func seeds(_ top: Fields) -> [RunConfiguration.Seeds] {
    guard let node = top.node("seeds") else { return [.init(0)] }
    let nodes = node.elements ?? [node]
    if nodes.isEmpty { report(node.place, "seeds", "is empty; expected at least one seed, such as [0]") }
    var seeds: [RunConfiguration.Seeds] = []
    for node in nodes {
      guard let seed = seed(node, top) else { continue }
      if seeds.contains(seed) { report(node.place, "seeds", "names the same seed more than once") }
      seeds.append(seed)
    }
    return seeds
  }

  private func seed(_ node: YAMLNode, _ top: Fields) -> RunConfiguration.Seeds? {
    guard let entries = node.entries else {
      guard let seed = top.integer(node, "seeds") else { return nil }
      if seed < 0 { report(node.place, "seeds", "has \(seed); expected whole numbers, 0 or more") }
      return .init(seed)
    }
    let names = ["initialisation", "order", "augmentation"]
    var values: [String: Int] = [:]
    for entry in entries {
      if names.contains(entry.key) {
        values[entry.key] = top.integer(entry.value, "seeds")
      } else {
        let guess = closest(to: entry.key, in: names).map { "did you mean `\($0)`?" }
        report(
          entry.place, "seeds.\(entry.name)",
          "is not a key here; " + (guess ?? "expected \(names.joined(separator: ", "))"))
      }
    }
    return .init(
      initialisation: values["initialisation"] ?? 0, order: values["order"] ?? 0,
      augmentation: values["augmentation"] ?? 0)
  }
}
