import Schema

/// What a study's file says about the study as a whole.
struct StudyHeader: Equatable, Sendable {
  var name: String?
  var figure: String?
  var title: String?
  var description: String?
  var scale: StudyScale?
  /// What each scale changes.
  var scales: YAMLNode?

  static let section = Section(StudyHeader()) {
    Key("name", \.name, .text, words: "the file's name", "what the study is called; it names the folder of its results")
    Key("figure", \.figure, .text, "the figures of the paper that it stands for, such as 2b, 14c")
    Key("title", \.title, .text, words: "the description", "what it shows, in a line")
    Key("description", \.description, .text, "what it shows, in a few sentences")
    Key(
      "scale", \.scale, .choice, words: "smoke, where the study declares it",
      "which of its scales the study is run at")
    Key(
      "scales", \.scales, .node("a mapping with any of smoke, small, paper"),
      "what each scale changes: mappings with the keys of a study, laid over its own")
  }
}

/// What a study's file says about which runs there are.
struct StudyGrid: Equatable, Sendable {
  /// What is varied.
  var sweep: YAMLNode?
  /// Each setting is run with every one of these.
  var seeds = [RunConfiguration.Seeds(0)]

  static let section = Section(StudyGrid()) {
    Key(
      "sweep", \.sweep, .node("a mapping", keys: sweepKeys),
      "what is varied, by dotted keys; where several parts are given, their combinations run")
    Key(
      "seeds", \.seeds, .seeds,
      "the sources of randomness, all three by one number or each by its own; every setting is run with each entry")
  }
}

extension StudyGrid {
  /// The parts of a sweep, which combine.
  static let sweepKeys = Section(Parts()) {
    Key("grid", \.grid, .node("a mapping"), "keys with lists of values, in all combinations")
    Key("list", \.list, .node("a list"), "settings one by one, each a mapping of the same keys")
    Key(
      "zip", \.zip, .node("a mapping"), "keys with lists of values of the same length, which are gone through in step")
  }.declarations

  private struct Parts: Equatable { var grid, list, zip: YAMLNode? }
}

extension Kind where Value == [RunConfiguration.Seeds] {
  /// Numbers, and mappings with one for each source of randomness.
  fileprivate static var seeds: Kind {
    let keys = RunConfiguration.Seeds.section.declarations
    let one = Kind<RunConfiguration.Seeds>("a whole number, 0 or more, or a mapping", keys: keys) {
      node, reader, keyPath in
      if node.entries != nil {
        return RunConfiguration.Seeds.section.read(Fields(node, at: keyPath, keys: keys, reader: reader))
      }
      guard let seed = Kind<Int>.integer().read(node, reader, at: keyPath) else { return nil }
      if seed < 0 { reader.report(node.place, keyPath, "has \(seed); expected whole numbers, 0 or more") }
      return .init(seed)
    }
    return Kind(
      "a list of whole numbers and mappings", keys: keys, isList: true,
      text: { "[" + $0.map(\.text).joined(separator: ", ") + "]" }
    ) { node, reader, keyPath in
      let nodes = node.elements ?? [node]
      if nodes.isEmpty { reader.report(node.place, keyPath, "is empty; expected at least one seed, such as [0]") }
      var seeds: [RunConfiguration.Seeds] = []
      for node in nodes {
        guard let seed = one.read(node, reader, at: keyPath) else { continue }
        if seeds.contains(seed) { reader.report(node.place, keyPath, "names the same seed more than once") }
        seeds.append(seed)
      }
      return seeds
    }
  }
}
