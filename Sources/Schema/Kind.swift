import Support

/// What values of a key are: how they are read, checked and written.
package struct Kind<Value: Equatable & Sendable>: Sendable {
  /// What a value may be, in words, such as `a number above 0`.
  package let expected: String
  /// The keys of the mapping that a value is written as; empty for plain values.
  let keys: [KeyDeclaration]
  let isList: Bool
  /// The value of a node; what is wrong with its form is reported.
  ///
  /// - Parameter base: what a mapping is read over; nil: the usual values
  let value: @Sendable (_ node: YAMLNode, _ reader: SchemaReader, _ keyPath: String, _ base: Value?) -> Value?
  /// What is wrong with a value that was read, or made in code.
  ///
  /// - Parameter verb: what messages begin with, such as `is`
  let mismatches: @Sendable (_ value: Value, _ keyPath: String, _ verb: String) -> [ConfigurationProblem]
  /// A value as files have it.
  let text: @Sendable (Value) -> String

  package init(
    _ expected: String, keys: [KeyDeclaration], isList: Bool = false,
    text: @escaping @Sendable (Value) -> String = { "\($0)" },
    problems: @escaping @Sendable (Value, String, String) -> [ConfigurationProblem],
    value: @escaping @Sendable (YAMLNode, SchemaReader, String, Value?) -> Value?
  ) {
    (self.expected, self.keys, self.isList) = (expected, keys, isList)
    (self.text, mismatches, self.value) = (text, problems, value)
  }

  /// Values that are read over nothing.
  ///
  /// - Parameters:
  ///   - text: a value as files have it
  ///   - mismatch: what is wrong with a value, without the verb: `3; expected 1 or 2`; nil: nothing
  ///   - value: the value of a node; nil after a report
  package init(
    _ expected: String, keys: [KeyDeclaration] = [], isList: Bool = false,
    text: @escaping @Sendable (Value) -> String = { "\($0)" },
    mismatch: @escaping @Sendable (Value) -> String? = { _ in nil },
    value: @escaping @Sendable (_ node: YAMLNode, _ reader: SchemaReader, _ keyPath: String) -> Value?
  ) {
    self.init(
      expected, keys: keys, isList: isList, text: text,
      problems: { value, keyPath, verb in
        mismatch(value).map { [ConfigurationProblem(keyPath: keyPath, message: "\(verb) \($0)")] } ?? []
      }, value: { node, reader, keyPath, _ in value(node, reader, keyPath) })
  }

  /// The value of a node; what is wrong with its form is reported.
  package func read(_ node: YAMLNode, _ reader: SchemaReader, at keyPath: String) -> Value? {
    value(node, reader, keyPath, nil)
  }

  /// What is wrong with a value that was read, or made in code.
  package func problems(_ value: Value, at keyPath: String) -> [ConfigurationProblem] {
    mismatches(value, keyPath, "is")
  }
}

extension Kind where Value == Double {
  /// - Parameters:
  ///   - bounds: nil: what is possible depends on other keys
  ///   - words: what is expected, where the bounds alone do not say it well
  package static func number(_ bounds: Bounds<Double>? = nil, _ words: String? = nil) -> Kind {
    let expected = words ?? bounds?.words("a number") ?? "a number"
    return Kind(
      expected, text: shortText,
      mismatch: { number in
        bounds.map { number.isFinite && $0.contains(number) } ?? true ? nil : "\(number); expected \(expected)"
      }
    ) { node, reader, keyPath in
      guard case .scalar(let text, isPlain: true) = node.content, let number = Double(text), number.isFinite,
        !text.lowercased().contains("x")
      else { return reader.refuse(node, keyPath, expected: "a finite number such as 0.1 or 5e-4") }
      return number
    }
  }
}

extension Kind where Value == Int {
  /// - Parameters:
  ///   - bounds: nil: what is possible depends on other keys
  ///   - words: what is expected, where the bounds alone do not say it well
  package static func integer(_ bounds: Bounds<Int>? = nil, _ words: String? = nil) -> Kind {
    let expected = words ?? bounds?.words("a whole number") ?? "a whole number"
    return Kind(expected, mismatch: { bounds?.contains($0) ?? true ? nil : "\($0); expected \(expected)" }) {
      node, reader, keyPath in
      guard case .scalar(let text, isPlain: true) = node.content, let number = Int(text) else {
        return reader.refuse(node, keyPath, expected: "a whole number")
      }
      return number
    }
  }
}

extension Kind where Value == Bool {
  package static var flag: Kind {
    Kind("true or false") { node, reader, keyPath in
      node.truth ?? reader.refuse(node, keyPath, expected: "true or false")
    }
  }
}

extension Kind where Value == String {
  package static var text: Kind { text() }

  /// - Parameter mismatch: as in `init`
  package static func text(
    _ expected: String = "a text", mismatch: @escaping @Sendable (String) -> String? = { _ in nil }
  ) -> Kind {
    Kind(expected, mismatch: mismatch) { node, reader, keyPath in
      guard case .scalar(let text, _) = node.content, !node.isNull else {
        return reader.refuse(node, keyPath, expected: "a text")
      }
      return text
    }
  }

  /// One of `names`, in any case; without names any text.
  package static func name(of names: [String]) -> Kind {
    let expected = names.isEmpty ? "a text" : "one of \(names.joined(separator: ", "))"
    return Kind(expected) { node, reader, keyPath in
      guard case .scalar(let text, _) = node.content else { return reader.refuse(node, keyPath, expected: expected) }
      if let name = [text, text.lowercased()].first(where: names.contains) ?? (names.isEmpty ? text : nil) {
        return name
      }
      let guess = closest(to: text, in: names).map { "; did you mean `\($0)`?" } ?? ""
      return reader.refuse(node, keyPath, expected: expected + guess)
    }
  }
}

extension Kind where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// One of the cases, by their raw values.
  package static var choice: Kind {
    let names = Kind<String>.name(of: Value.allCases.map(\.rawValue))
    return Kind(names.expected, text: \.rawValue) { node, reader, keyPath in
      names.read(node, reader, at: keyPath).flatMap(Value.init)
    }
  }
}

extension Kind where Value == YAMLNode {
  /// What is read by other means.
  ///
  /// - Parameter keys: those of the mapping, or list of mappings, that it is
  package static func node(_ expected: String, keys: [KeyDeclaration] = [], isList: Bool = false) -> Kind {
    Kind(expected, keys: keys, isList: isList) { node, _, _ in node }
  }
}

extension Kind {
  /// A list, or one value standing for a list of one.
  ///
  /// - Parameter expected: in words, such as `a list of whole numbers`
  package static func list<Element>(of element: Kind<Element>, _ expected: String) -> Kind where Value == [Element] {
    Kind(
      expected, keys: element.keys, isList: true, text: { "[" + $0.map(element.text).joined(separator: ", ") + "]" },
      problems: { values, keyPath, _ in
        values.enumerated().flatMap { index, value in
          element.keys.isEmpty
            ? element.mismatches(value, keyPath, "has") : element.mismatches(value, "\(keyPath).\(index)", "is")
        }
      },
      value: { node, reader, keyPath, _ in
        let nodes = node.elements ?? [node]
        let values = nodes.compactMap { element.read($0, reader, at: keyPath) }
        return values.count == nodes.count ? values : nil
      })
  }
}
