import Schema
import Support

/// How large a study is run: a study's file says under `scales` what each changes.
public enum StudyScale: String, Codable, CaseIterable, Sendable {
  /// minutes on two processor cores, on small or generated data
  case smoke
  /// hours on one GPU
  case small
  /// as published
  case paper
}

extension YAMLNode {
  /// This study with the values of `scale` in the place of its own, mapping by mapping; lists and single values are replaced whole, and
  /// so is a section that comes with another name. null takes a key of the sweep away.
  func scaled(by scale: YAMLNode, at path: [String] = []) -> YAMLNode {
    guard var entries, let changes = scale.entries else { return scale }
    for change in changes {
      let key = SchemaKey.path(change.name)
      let index = entries.firstIndex { SchemaKey.path($0.name) == key }
      let inside = path + key
      if inside.count > 1, inside[0] == "sweep", change.value.isNull {
        if let index { entries.remove(at: index) }
      } else if let index {
        let old = entries[index].value
        // A start is a file or a pretraining, never half of each.
        entries[index].value =
          inside == ["start"] || old.isNamedOtherwise(than: change.value, at: inside)
          ? change.value : old.scaled(by: change.value, at: inside)
      } else {
        entries.append(change)
      }
    }
    return YAMLNode(content: .mapping(entries), place: place)
  }

  private func isNamedOtherwise(than other: YAMLNode, at path: [String]) -> Bool {
    guard let usual = Self.choices[path.joined(separator: ".") + ".name"],
      let name = other.entries?.first(where: { $0.key == "name" })?.value
    else { return false }
    return differs(at: ["name"], from: name, usual: usual)
  }

  /// This study without one of its keys.
  func without(_ key: String) -> YAMLNode {
    guard let entries else { return self }
    return YAMLNode(content: .mapping(entries.filter { $0.key != key }), place: place)
  }
}

extension SchemaReader {
  /// What may differ from scale to scale.
  private static let scalable = (keys[""] ?? []).filter {
    !["name", "figure", "title", "scale", "scales"].contains($0)
  }

  /// The scales that a study declares, with what each changes.
  func scales(_ root: YAMLNode) -> [StudyScale: YAMLNode] {
    guard let node = root.entries?.first(where: { $0.key == "scales" })?.value, !node.isNull else { return [:] }
    let names = StudyScale.allCases.map(\.rawValue)
    guard let entries = node.entries else {
      report(node.place, "scales", "is \(node.kind); expected a mapping with any of \(names.joined(separator: ", "))")
      return [:]
    }
    var scales: [StudyScale: YAMLNode] = [:]
    for entry in entries {
      guard let scale = StudyScale(rawValue: entry.key) else {
        let guess = closest(to: entry.key, in: names).map { "did you mean `\($0)`?" }
        report(
          entry.place, "scales.\(entry.name)",
          "is no scale; " + (guess ?? "expected one of \(names.joined(separator: ", "))"))
        continue
      }
      guard entry.value.isNull || entry.value.entries != nil else {
        report(
          entry.value.place, "scales.\(entry.name)",
          "is \(entry.value.kind); expected a mapping with the keys it changes, such as {dataset: {train: 4000}}")
        continue
      }
      for change in entry.value.entries ?? [] where !Self.scalable.contains(change.key) {
        let guess = closest(to: change.key, in: Self.scalable).map { "did you mean `\($0)`?" }
        report(
          change.place, "scales.\(entry.name).\(change.name)",
          "is not a key that a scale changes; " + (guess ?? "expected one of \(Self.scalable.joined(separator: ", "))"))
      }
      scales[scale] = entry.value.isNull ? .emptyMapping : entry.value
    }
    return scales
  }

  /// The scale that is asked for, that the file names, or, where it declares any and names none, `smoke` if that is one of them.
  func scale(_ asked: StudyScale?, _ root: YAMLNode, among scales: [StudyScale: YAMLNode]) -> StudyScale? {
    let top = Fields(
      reader: self, path: "", values: Dictionary((root.entries ?? []).map { ($0.key, $0.value) }) { first, _ in first })
    let written = top.choice("scale", StudyScale.self)
    guard let scale = asked ?? written else { return scales[.smoke] == nil ? nil : .smoke }
    guard scales[scale] != nil else {
      let known = StudyScale.allCases.filter { scales[$0] != nil }.map(\.rawValue).joined(separator: ", ")
      report(
        asked == nil ? root.place(of: ["scale"]) : .outside, asked == nil ? "scale" : "--scale",
        "is \(scale.rawValue), which the study does not declare; "
          + (known.isEmpty ? "it has no scales" : "it has \(known)"))
      return nil
    }
    return scale
  }
}
