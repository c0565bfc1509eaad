import Schema
import Support

/// What a study varies: the keys, and for each setting their values.
struct Sweep {
  /// One swept value.
  struct Override {
    /// As the file writes it, such as `optimizer.lr`.
    let path: String
    let node: YAMLNode
  }

  /// The swept keys as the file writes them; the first varies slowest.
  private(set) var axes: [String] = []
  /// Without a sweep: one empty setting; none where the sweep is broken.
  private(set) var settings: [[Override]] = [[]]

  /// More runs than this are taken for a mistake.
  static let mostRuns = 10_000

  /// Reads the section `sweep`; nil: nothing is varied.
  init(_ node: YAMLNode?, reader: SchemaReader) {
    guard let node else { return }
    let fields = Fields(node, at: "sweep", keys: StudyGrid.sweepKeys, reader: reader)
    for entry in node.entries ?? [] where !entry.value.isNull {
      let part: [[Override]]
      switch reader.spelling.normalised(entry.name) {
      case "grid": part = Self.grid(entry.value, reader)
      case "zip": part = Self.zip(entry.value, reader)
      case "list": part = Self.list(entry.value, reader)
      default: continue
      }
      guard let keys = part.first?.map(\.path) else { continue }
      for key in keys {
        if axes.contains(where: { StudyKeys.path($0) == StudyKeys.path(key) }) {
          reader.report(
            entry.place, fields.keyPath(entry.name), "sweeps \(key), which another part of the sweep varies too")
        }
        axes.append(key)
      }
      guard settings.count.multipliedReportingOverflow(by: part.count).partialValue <= Self.mostRuns else {
        reader.report(node.place, "sweep", "makes more than \(Self.mostRuns) runs")
        settings = []
        return
      }
      settings = settings.flatMap { setting in part.map { setting + $0 } }
    }
  }

  private static func grid(_ node: YAMLNode, _ reader: SchemaReader) -> [[Override]] {
    var settings: [[Override]] = [[]]
    for (path, values) in columns(node, at: "sweep.grid", reader) {
      guard settings.count.multipliedReportingOverflow(by: values.count).partialValue <= mostRuns else {
        reader.report(node.place, "sweep.grid", "makes more than \(mostRuns) runs")
        return []
      }
      settings = settings.flatMap { setting in values.map { setting + [Override(path: path, node: $0)] } }
    }
    return settings
  }

  private static func zip(_ node: YAMLNode, _ reader: SchemaReader) -> [[Override]] {
    let columns = columns(node, at: "sweep.zip", reader)
    let counts = columns.map { "\($0.path) has \($0.values.count)" }
    guard let first = columns.first else { return [[]] }
    guard columns.allSatisfy({ $0.values.count == first.values.count }) else {
      reader.report(node.place, "sweep.zip", "has lists of different lengths: \(counts.joined(separator: ", "))")
      return []
    }
    return first.values.indices.map { index in columns.map { Override(path: $0.path, node: $0.values[index]) } }
  }

  private static func list(_ node: YAMLNode, _ reader: SchemaReader) -> [[Override]] {
    guard let elements = node.elements else {
      reader.report(
        node.place, "sweep.list", "is \(node.kind); expected a list such as [{optimizer.lr: 0.1, batch_size: 32}]")
      return []
    }
    if elements.isEmpty { reader.report(node.place, "sweep.list", "is empty; expected at least one setting") }
    let settings = elements.map { element -> [Override] in
      guard let entries = element.entries, !entries.isEmpty else {
        reader.report(
          element.place, "sweep.list", "has \(element.kind); expected a mapping such as {optimizer.lr: 0.1}")
        return []
      }
      return swept(entries, at: "sweep.list", reader).map { Override(path: $0.name, node: $0.value) }
    }
    let names = settings.map { $0.map { StudyKeys.path($0.path) } }
    for (element, keys) in Swift.zip(elements, names) where Set(keys) != Set(names.first ?? []) {
      reader.report(
        element.place, "sweep.list", "has other keys than the first setting; each must set the same ones")
    }
    return settings
  }

  /// The keys of a grid or zip with their lists.
  private static func columns(_ node: YAMLNode, at path: String, _ reader: SchemaReader)
    -> [(path: String, values: [YAMLNode])]
  {
    guard let entries = node.entries else {
      reader.report(
        node.place, path, "is \(node.kind); expected a mapping such as {optimizer.lr: [0.01, 0.1]}")
      return []
    }
    if entries.isEmpty { reader.report(node.place, path, "is empty; expected keys with lists of values") }
    return swept(entries, at: path, reader).compactMap { entry in
      let (place, keyPath) = (entry.value.place, "\(path).\(entry.name)")
      guard let values = entry.value.elements else {
        reader.report(place, keyPath, "is \(entry.value.kind); expected a list such as [0.01, 0.1]")
        return nil
      }
      if values.isEmpty { reader.report(place, keyPath, "is empty; expected at least one value") }
      return (entry.name, values)
    }
  }

  /// The entries whose keys can be swept; the others are reported.
  private static func swept(_ entries: [YAMLNode.Entry], at path: String, _ reader: SchemaReader) -> [YAMLNode.Entry] {
    var seen: Set<[String]> = []
    return entries.filter { entry in
      let key = StudyKeys.path(entry.name)
      let dotted = key.joined(separator: ".")
      guard StudyKeys.sweepable.contains(dotted) else {
        let guess = closest(to: dotted, in: StudyKeys.sweepable).map { "did you mean `\($0)`?" }
        reader.report(
          entry.place, "\(path).\(entry.name)",
          "is not a key that can be swept; " + (guess ?? "expected a dotted key such as optimizer.lr or batch_size"))
        return false
      }
      if seen.insert(key).inserted { return true }
      reader.report(entry.place, "\(path).\(entry.name)", "is given more than once")
      return false
    }
  }
}
