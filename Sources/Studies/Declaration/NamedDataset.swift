import Schema

/// A dataset under a name of its own: a further test set, or a task.
public struct NamedDataset: Codable, Hashable, Sendable {
  /// Letters, digits, `-`, `_` and `.`; rows of results carry it.
  public var name: String
  /// Its examples.
  public var dataset: DatasetChoice

  /// A dataset under a name.
  public init(name: String, dataset: DatasetChoice) {
    self.name = name
    self.dataset = dataset
  }

  static let section = Section(NamedDataset(name: "", dataset: .init(name: .glyphs))) {
    Key(
      "name", \.name, .text, words: "required", "what rows of results call it: letters, digits, `-`, `_` and `.`")
    Key("dataset", \.dataset, .section(DatasetChoice.section), "its examples")
  }
}

extension [NamedDataset] {
  /// Reports what is impossible about the datasets listed at `keyPath`.
  func check(_ check: inout ConfigurationCheck, at keyPath: String) {
    for (index, entry) in enumerated() {
      let path = "\(keyPath).\(index)"
      let isName =
        !entry.name.isEmpty && entry.name.count <= 40
        && entry.name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
      check.require(
        isName, "\(path).name", "is \"\(entry.name.shortened)\"; expected letters, digits, `-`, `_` and `.`")
      check.require(
        firstIndex { $0.name == entry.name } == index, "\(path).name", "is \(entry.name), like that of another entry")
      entry.dataset.check(&check, at: "\(path).dataset")
    }
  }
}
