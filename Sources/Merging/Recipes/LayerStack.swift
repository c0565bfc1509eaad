/// Layers that repeat: tensors named `<prefix><number>.<rest>`, numbered from 0.
struct LayerStack: Hashable {
  /// With the dot: `model.layers.`
  let prefix: String
  let count: Int

  /// A tensor's layer: what stands before the first number in its name, the number, and what follows.
  static func place(of name: String) -> (prefix: String, layer: Int, rest: String)? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard let index = parts.firstIndex(where: { Int($0) != nil && $0.count < 7 }), let layer = Int(parts[index]) else {
      return nil
    }
    let prefix = parts[..<index].map { $0 + "." }.joined()
    return (prefix, layer, parts[(index + 1)...].joined(separator: "."))
  }

  func name(_ layer: Int, _ rest: String) -> String { "\(prefix)\(layer)" + (rest.isEmpty ? "" : ".\(rest)") }

  /// Every stack, by its prefix.
  static func all(_ names: some Sequence<String>) -> [String: LayerStack] {
    var numbers: [String: Set<Int>] = [:]
    for name in names {
      guard let place = place(of: name) else { continue }
      numbers[place.prefix, default: []].insert(place.layer)
    }
    return numbers.reduce(into: [:]) { stacks, entry in
      let count = (entry.value.max() ?? 0) + 1
      stacks[entry.key] = LayerStack(prefix: entry.key, count: count)
    }
  }
}
