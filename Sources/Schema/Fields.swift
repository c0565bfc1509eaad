/// The values of one mapping, by key.
package struct Fields {
  package let reader: SchemaReader
  /// The dotted path of the mapping; empty for the outermost one.
  package let path: String
  /// Null values among them.
  package let values: [String: YAMLNode]

  /// The values of the mapping `node`. Unknown and repeated keys are reported, and so is a value of another form, which
  /// has no fields. A missing or null one has none either.
  ///
  /// - Parameter hint: where a key would belong that is not one of `keys`
  package init(
    _ node: YAMLNode?, at path: String, keys: [KeyDeclaration], reader: SchemaReader,
    hint: (String) -> String? = { _ in nil }
  ) {
    let names = keys.map(\.name)
    var values: [String: YAMLNode] = [:]
    for entry in node?.entries ?? [] {
      let place = path.isEmpty ? entry.name : "\(path).\(entry.name)"
      let key = reader.spelling.normalised(entry.name)
      if !names.contains(key) {
        reader.refuse(entry, place, known: names, hint: hint(entry.name))
      } else if values.updateValue(entry.value, forKey: key) != nil {
        let spellings = reader.spelling.isExact ? "" : " (as `\(key)` or another spelling of it)"
        reader.report(entry.place, place, "is given more than once\(spellings)")
      }
    }
    if let node, node.entries == nil, !node.isNull {
      reader.report(
        node.place, path, "is \(node.kind); expected a mapping with the keys \(names.joined(separator: ", "))")
    }
    (self.reader, self.path, self.values) = (reader, path, values)
  }

  /// The value of a key; nil where it is missing or null.
  package subscript(key: String) -> YAMLNode? { values[key].flatMap { $0.isNull ? nil : $0 } }

  /// The dotted path of a key.
  package func keyPath(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}
