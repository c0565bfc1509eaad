import Schema

/// Every key of a study's file. Each is declared where the type is that it belongs to, in a `Section`.
public enum StudyKeys {
  /// The keys of the outermost mapping: what is about the study as a whole, and what is about its runs.
  public static let all =
    StudyHeader.section.declarations + RunConfiguration.section.declarations + StudyGrid.section.declarations

  /// `learningRate`, `learning-rate` and `lr` are all `learning_rate`.
  static let spelling = KeySpelling(all)

  /// The keys of each mapping, by its dotted path.
  static let sections: [String: [String]] = {
    var sections: [String: [String]] = [:]
    func collect(_ keys: [KeyDeclaration], _ path: String) {
      sections[path] = keys.map(\.name)
      for key in keys where !key.keys.isEmpty { collect(key.keys, path.isEmpty ? key.name : "\(path).\(key.name)") }
    }
    collect(all, "")
    return sections
  }()

  /// Every path that a sweep may vary: each value of a run, and each mapping as a whole. Lists of mappings vary as a
  /// whole only.
  static let sweepable: [String] = {
    var paths: [(section: String, path: String)] = []
    func collect(_ keys: [KeyDeclaration], _ section: String) {
      for key in keys {
        let path = section.isEmpty ? key.name : "\(section).\(key.name)"
        paths.append((section, path))
        if !key.isList { collect(key.keys, path) }
      }
    }
    collect(RunConfiguration.section.declarations, "")
    return paths.sorted { $0.section < $1.section }.map(\.path)
  }()

  /// What may differ from scale to scale.
  static let scalable = all.map(\.name).filter { !["name", "figure", "title", "scale", "scales"].contains($0) }

  /// The keys that a dotted path means, however they are spelled.
  static func path(_ dotted: String) -> [String] { spelling.path(dotted) }
}
