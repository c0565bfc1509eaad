/// A key of the mapping that describes a `Root`, declared once: its name, what it may be, what it is by default, what
/// it means, and which property of the root it is. Reading, checks, sweeps, help and documentation all go by this
/// declaration.
package struct Key<Root: Sendable>: Sendable {
  package internal(set) var declaration: KeyDeclaration
  /// Whether its default depends on other keys, which are then read before it.
  let isDerived: Bool
  let read: @Sendable (_ fields: Fields, _ root: inout Root) -> Void
  let problems: @Sendable (_ root: Root, _ path: String) -> [ConfigurationProblem]
  /// What it is for a root, as files have it; nil: nothing.
  let text: @Sendable (_ root: Root) -> String?

  /// - Parameters:
  ///   - get: the value; nil: none
  ///   - set: puts a value, or none, into a root. That of a name may bring other values along: it is read before the
  ///     keys below it.
  ///   - kinds: what values may be beside what was read before; nil: `kind`
  ///   - synonyms: other spellings
  ///   - unit: what a number is counted in
  ///   - variant: the variant of the section beside which alone the key may stand
  ///   - takesNone: whether `none` and null mean no value; null otherwise means that the key is left out
  ///   - usual: the value where the key is left out, where that depends on other keys; nil: what the root has
  ///   - base: what a mapping is read over; nil: the section's usual values
  ///   - words: the default in words, where the root's own do not tell
  package init<Value>(
    _ name: String, get: @escaping @Sendable (Root) -> Value?, set: @escaping @Sendable (inout Root, Value?) -> Void,
    _ kind: Kind<Value>, kinds: (@Sendable (Root) -> Kind<Value>)? = nil, synonyms: [String] = [],
    unit: String? = nil, of variant: String? = nil, takesNone: Bool = false,
    usual: (@Sendable (Root) -> Value?)? = nil, over base: (@Sendable (Root) -> Value)? = nil, words: String? = nil,
    _ meaning: String
  ) {
    declaration = KeyDeclaration(
      name: name, synonyms: synonyms, expected: kind.expected, unit: unit, usual: words, meaning: meaning,
      variant: variant, keys: kind.keys, isList: kind.isList && !kind.keys.isEmpty)
    isDerived = usual != nil || base != nil
    read = { fields, root in
      if takesNone, fields.values[name]?.isNone == true { return set(&root, nil) }
      let kind = kinds?(root) ?? kind
      let base = base?(root)
      if let usual { set(&root, usual(root)) }
      if let node = fields[name], let value = kind.value(node, fields.reader, fields.keyPath(name), base) {
        set(&root, value)
      }
    }
    problems = { root, path in
      get(root).map { kind.problems($0, at: path.isEmpty ? name : "\(path).\(name)") } ?? []
    }
    text = { get($0).map(kind.text) }
  }

  /// A key that always has a value.
  package init<Value>(
    _ name: String, _ property: WritableKeyPath<Root, Value> & Sendable, _ kind: Kind<Value>, synonyms: [String] = [],
    unit: String? = nil, of variant: String? = nil, usual: (@Sendable (Root) -> Value)? = nil,
    over base: (@Sendable (Root) -> Value)? = nil, words: String? = nil, _ meaning: String
  ) {
    self.init(
      name, get: { $0[keyPath: property] },
      set: { root, value in if let value { root[keyPath: property] = value } }, kind, synonyms: synonyms, unit: unit,
      of: variant, usual: usual, over: base, words: words, meaning)
  }

  /// A key that may have no value.
  ///
  /// - Parameter absent: what no value stands for. It is never stored, so that the same configuration is equal to
  ///   itself however it is written.
  package init<Value>(
    _ name: String, _ property: WritableKeyPath<Root, Value?> & Sendable, _ kind: Kind<Value>, absent: Value? = nil,
    synonyms: [String] = [], unit: String? = nil, of variant: String? = nil, takesNone: Bool = false,
    usual: (@Sendable (Root) -> Value?)? = nil, over base: (@Sendable (Root) -> Value)? = nil, words: String? = nil,
    _ meaning: String
  ) {
    self.init(
      name, get: { $0[keyPath: property] }, set: { $0[keyPath: property] = $1 == absent ? nil : $1 }, kind,
      synonyms: synonyms, unit: unit, of: variant, takesNone: takesNone, usual: usual, over: base,
      words: words ?? (kind.keys.isEmpty ? absent.map(kind.text) : nil), meaning)
  }
}
