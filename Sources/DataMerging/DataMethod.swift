import Checkpoints
import Merging

/// A way to merge networks that looks at data: its declaration, and how it is done.
public struct DataMethod: Sendable {
  /// Its name, parameters and needs.
  public let declaration: MergeMethod
  let run: @Sendable (DataMerge) throws -> DataMergeResult

  init(_ declaration: MergeMethod, _ run: @escaping @Sendable (DataMerge) throws -> DataMergeResult) {
    (self.declaration, self.run) = (declaration, run)
  }

  /// Every method, in the order of use.
  public static let all: [DataMethod] = [
    .uniformSoup, .greedySoup, .fisher, .dfMerge, .regMean, .regMeanPlus, .adaMerging,
  ]

  /// The declarations of all methods, those without data first.
  public static var declarations: [MergeMethod] { MergeMethod.all + all.map(\.declaration) }

  /// The declaration of the method called `name`, with data or without.
  ///
  /// - Throws: `MergeError` with the likely name, and those there are.
  public static func declaration(named name: String) throws -> MergeMethod {
    try MergeMethod.named(name, among: declarations)
  }

  /// Merges. What the method does not cover is averaged, and BatchNorm's statistics are measured anew if that was asked
  /// for.
  ///
  /// - Throws: `MergeError`, `TorchError`, and what reading the data throws.
  public func callAsFunction(_ merge: DataMerge) throws -> DataMergeResult {
    var result = try run(merge)
    result.weights = try merge.settled(merge.completed(result.weights))
    let heads = merge.heads.first?.names ?? []
    if !heads.isEmpty {
      result.notes.append(
        "\(heads.joined(separator: ", ")): each task's own; left out, take them from the models the result is used for")
    }
    return result
  }
}
