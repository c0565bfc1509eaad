import Schema

extension YAMLNode.Entry {
  /// The key that is meant, however it is spelled.
  var key: String { StudyKeys.spelling.normalised(name) }
}

extension YAMLNode {
  /// This tree with the value at `path` replaced, mappings made where they are missing. nil where a mapping would have
  /// to replace another value; `place` of the new entries is the value's.
  func setting(_ path: ArraySlice<String>, to value: YAMLNode) -> YAMLNode? {
    guard let key = path.first else { return value }
    guard var entries = isNull ? [] : entries else { return nil }
    let rest = path.dropFirst()
    if let index = entries.firstIndex(where: { $0.key == key }) {
      guard let changed = entries[index].value.setting(rest, to: value) else { return nil }
      entries[index].value = changed
    } else {
      let empty = YAMLNode(content: .mapping([]), place: value.place)
      guard let changed = empty.setting(rest, to: value) else { return nil }
      entries.append(Entry(name: key, place: value.place, value: changed))
    }
    return YAMLNode(content: .mapping(entries), place: place)
  }

  /// The place of the value at `path`, or of the nearest value above it that is written in the file. Elements of a list
  /// go by number.
  func place(of path: ArraySlice<String>) -> Place {
    if let elements, let index = path.first.flatMap({ Int($0) }), elements.indices.contains(index) {
      return elements[index].place(of: path.dropFirst())
    }
    guard let key = path.first, let entry = entries?.first(where: { $0.key == key }) else { return place }
    if path.count > 1, entry.value.elements == nil,
      entry.value.entries?.contains(where: { $0.key == path.dropFirst().first }) != true
    {
      return entry.place
    }
    return entry.value.place(of: path.dropFirst())
  }
}
