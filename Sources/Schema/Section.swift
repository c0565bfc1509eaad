/// The keys of a mapping that describes a `Root`.
package struct Section<Root: Equatable & Sendable>: Sendable {
  package let keys: [Key<Root>]
  /// In the order in which they are read: those whose default depends on others come last.
  private let readingOrder: [Key<Root>]
  /// In the order in which they are checked: plain values before mappings.
  private let checkingOrder: [Key<Root>]
  private let initial: Root
  private let variant: @Sendable (Root) -> String
  private let finish: @Sendable (inout Root, Fields) -> Void

  /// - Parameters:
  ///   - initial: what a mapping is read over
  ///   - variants: what there is to choose between, with the usual values of each; empty where there is no choice
  ///   - variant: which of them a root is
  ///   - finish: does what is left once every key is read
  package init(
    _ initial: Root, variants: [Root] = [], variant: @escaping @Sendable (Root) -> String = { _ in "" },
    finish: @escaping @Sendable (inout Root, Fields) -> Void = { _, _ in },
    @SectionBuilder<Root> keys: () -> [Key<Root>]
  ) {
    (self.initial, self.variant, self.finish) = (initial, variant, finish)
    self.keys = keys().map { key in
      var key = key
      key.declaration.usual = key.declaration.usual ?? Self.usual(key, variants.isEmpty ? [initial] : variants, variant)
      return key
    }
    readingOrder = self.keys.filter { !$0.isDerived } + self.keys.filter(\.isDerived)
    checkingOrder = self.keys.filter(\.declaration.keys.isEmpty) + self.keys.filter { !$0.declaration.keys.isEmpty }
  }

  package var declarations: [KeyDeclaration] { keys.map(\.declaration) }

  /// A key's default: one text, or one for each that some variants have, such as `0.1 with sgd, 0.001 with adamw`.
  private static func usual(_ key: Key<Root>, _ variants: [Root], _ variant: (Root) -> String) -> String? {
    guard key.declaration.keys.isEmpty else { return nil }
    var names: [(text: String, variants: [String])] = []
    let owned = variants.filter { key.declaration.variant ?? variant($0) == variant($0) }
    let texts = owned.map { ($0, key.text($0)) }
    for case (let root, let text?) in texts {
      if let index = names.firstIndex(where: { $0.text == text }) {
        names[index].variants.append(variant(root))
      } else {
        names.append((text, [variant(root)]))
      }
    }
    // What all have, or the choice itself, whose names are those of the variants.
    if let first = names.first, first.variants.count == owned.count || names.allSatisfy({ $0.variants == [$0.text] }) {
      return first.text
    }
    return names.isEmpty
      ? nil
      : names.map { name in
        let (others, last) = (name.variants.dropLast(), name.variants.last ?? "")
        return "\(name.text) with \(others.isEmpty ? "" : others.joined(separator: ", ") + " or ")\(last)"
      }.joined(separator: ", ")
  }

  /// What the fields describe: `base` (nil: the usual values) with what they give. Values that cannot be read are
  /// reported and left as they were.
  package func read(_ fields: Fields, over base: Root? = nil) -> Root {
    var root = base ?? initial
    for key in readingOrder {
      if let owner = key.declaration.variant, owner != variant(root) {
        guard let node = fields[key.declaration.name] else { continue }
        let others = keys.filter { $0.declaration.variant == variant(root) }.map(\.declaration.name)
        fields.reader.report(
          node.place, fields.keyPath(key.declaration.name),
          "belongs to \(owner); \(variant(root)) has \(others.joined(separator: ", "))")
      } else {
        key.read(fields, &root)
      }
    }
    finish(&root, fields)
    return root
  }

  /// What is wrong with single values; what concerns several is not looked at.
  package func problems(_ root: Root, at path: String = "") -> [ConfigurationProblem] {
    checkingOrder.flatMap { $0.problems(root, path) }
  }
}

/// Lists keys one a line.
@resultBuilder package enum SectionBuilder<Root: Sendable> {
  package static func buildExpression(_ key: Key<Root>) -> [Key<Root>] { [key] }
  package static func buildBlock(_ keys: [Key<Root>]...) -> [Key<Root>] { keys.flatMap(\.self) }
  package static func buildArray(_ keys: [[Key<Root>]]) -> [Key<Root>] { keys.flatMap(\.self) }
}

extension Kind {
  /// A mapping.
  ///
  /// - Parameter none: what the plain word `none` stands for
  package static func section(_ section: Section<Value>, none: Value? = nil) -> Kind {
    let keys = section.declarations
    return Kind(
      "a mapping", keys: keys, problems: { value, keyPath, _ in section.problems(value, at: keyPath) },
      value: { node, reader, keyPath, base in
        if let none, node.isNone { return none }
        let fields = Fields(node, at: keyPath, keys: keys, reader: reader)
        return node.entries == nil ? nil : section.read(fields, over: base)
      })
  }
}
