import Foundation

/// What the lines of a plot stand for: the swept quantities other than the one on the horizontal axis.
struct Lines: Sendable {
  /// The swept quantities that take more than one value, except those that follow from others: a number of epochs that
  /// is chosen for each learning rate is not a quantity of its own. If two follow from each other, the first is kept.
  let axes: [Axis]
  let configurations: [Configuration]

  init(axes: [Axis], configurations: [Configuration]) {
    self.configurations = configurations
    let varied = axes.filter { axis in Set(configurations.map { axis.text($0) }).count > 1 }
    let known = varied.filter { $0.quantity != .other }
    // One by one, or two that decide each other would both vanish.
    self.axes = varied.filter { $0.quantity == .other }.reversed().reduce(varied) { kept, axis in
      let rest = kept.filter { $0 != axis }
      let deciders = known.isEmpty ? rest : rest.filter { known.contains($0) }
      let decided =
        deciders.contains { Self.decides($0, axis, configurations) }
        || rest.contains { Self.decides($0, axis, configurations) && Self.decides(axis, $0, configurations) }
      return decided ? rest : kept
    }
  }

  /// Whether configurations with the same value of `axis` have the same value of `other`.
  private static func decides(_ axis: Axis, _ other: Axis, _ configurations: [Configuration]) -> Bool {
    var values: [String: String] = [:]
    return configurations.allSatisfy { configuration in
      let (key, value) = (axis.text(configuration), other.text(configuration))
      return values.updateValue(value, forKey: key) ?? value == value
    }
  }

  /// What tells the lines of a plot over `axis` apart: all other swept quantities that do not follow from it; over a
  /// noise proxy, all but the learning rate.
  func axes(over axis: Axis) -> [Axis] {
    let held = axis.isNoise ? axes.first { $0.quantity == .learningRate } ?? axes.first : axis
    guard let held else { return [] }
    return axes.filter { $0 != held && !Self.decides(held, $0, configurations) }
  }

  /// The name of a configuration's line, among lines told apart by `axes`.
  func name(_ configuration: Configuration, _ axes: [Axis]) -> String {
    axes.count == 1
      ? axes[0].text(configuration)
      : axes.map { "\($0.shortName) \($0.text(configuration))" }.joined(separator: ", ")
  }

  /// The name of a configuration among series that all swept quantities together tell apart.
  func series(_ configuration: Configuration) -> String { axes.isEmpty ? "all runs" : name(configuration, axes) }

  /// The names of all lines in the order of their values.
  func names(_ axes: [Axis]) -> [String] { axes.isEmpty ? [] : ordered(by: axes).map { name($0, axes) }.distinct() }

  /// The configurations in the order of their values on `axes`, the first of which counts most.
  func ordered(by axes: [Axis]) -> [Configuration] {
    // Words keep the order in which the study has them.
    let ranks = axes.map { axis in
      let texts = configurations.map { axis.text($0) }
      return configurations.map { axis.number($0) ?? Double(texts.firstIndex(of: axis.text($0)) ?? 0) }
    }
    return configurations.indices.sorted { a, b in
      for rank in ranks where rank[a] != rank[b] { return rank[a] < rank[b] }
      return a < b
    }.map { configurations[$0] }
  }
}
