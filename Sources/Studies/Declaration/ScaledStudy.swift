import Schema
import Support

extension YAMLNode {
  /// This study with the values of `scale` in the place of its own, mapping by mapping; lists and single values are
  /// replaced whole, and so is a section that comes with another name. null takes a key of the sweep away.
  func scaled(by scale: YAMLNode, at path: [String] = []) -> YAMLNode {
    guard var entries, let changes = scale.entries else { return scale }
    for change in changes {
      let key = StudyKeys.path(change.name)
      let index = entries.firstIndex { StudyKeys.path($0.name) == key }
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

extension StudyScale {
  /// The scales that a study declares, with what each changes; what is wrong with them is reported.
  static func declared(in root: YAMLNode, _ reader: SchemaReader) -> [StudyScale: YAMLNode] {
    guard let node = root.entries?.first(where: { $0.key == "scales" })?.value, !node.isNull else { return [:] }
    let names = allCases.map(\.rawValue)
    guard let entries = node.entries else {
      return reader.refuse(node, "scales", expected: "a mapping with any of \(names.joined(separator: ", "))") ?? [:]
    }
    var scales: [StudyScale: YAMLNode] = [:]
    for entry in entries {
      let path = "scales.\(entry.name)"
      guard let scale = StudyScale(rawValue: entry.key) else {
        reader.refuse(entry, path, known: names, is: "is no scale")
        continue
      }
      guard entry.value.isNull || entry.value.entries != nil else {
        reader.report(
          entry.value.place, path,
          "is \(entry.value.kind); expected a mapping with the keys it changes, such as {dataset: {train: 4000}}")
        continue
      }
      for change in entry.value.entries ?? [] where !StudyKeys.scalable.contains(change.key) {
        reader.refuse(
          change, "\(path).\(change.name)", known: StudyKeys.scalable, is: "is not a key that a scale changes")
      }
      scales[scale] = entry.value.isNull ? .emptyMapping : entry.value
    }
    return scales
  }

  /// The scale that is asked for, that the file names, or, where it declares any and names none, `smoke` if that is one
  /// of them.
  static func chosen(
    _ asked: StudyScale?, in root: YAMLNode, among scales: [StudyScale: YAMLNode], _ reader: SchemaReader
  ) -> StudyScale? {
    let node = root.entries?.first { $0.key == "scale" && !$0.value.isNull }?.value
    let written = node.flatMap { Kind<StudyScale>.choice.read($0, reader, at: "scale") }
    guard let scale = asked ?? written else { return scales[.smoke] == nil ? nil : .smoke }
    guard scales[scale] != nil else {
      let known = allCases.filter { scales[$0] != nil }.map(\.rawValue).joined(separator: ", ")
      reader.report(
        asked == nil ? root.place(of: ["scale"]) : .outside, asked == nil ? "scale" : "--scale",
        "is \(scale.rawValue), which the study does not declare; "
          + (known.isEmpty ? "it has no scales" : "it has \(known)"))
      return nil
    }
    return scale
  }
}
