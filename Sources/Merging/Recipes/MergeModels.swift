/// The files that a recipe names, opened once for many plans of it.
public struct MergeModels {
  let files: [ModelFiles]
  /// Where relative paths start.
  let folder: String
  let inputs: [Recipe.Model: ModelTensors]

  /// Reads the headers of all inputs.
  ///
  /// - Parameter folder: where the recipe's relative paths start (they may also start at the working folder).
  /// - Throws: `FileError` for files that cannot be read.
  public init(_ recipe: Recipe, relativeTo folder: String = ".") throws {
    files = try recipe.models.map { try ModelFiles($0, relativeTo: folder) }
    inputs = try Dictionary(
      files.map { ($0.model, try ModelTensors($0, hasVocabulary: recipe.hasTokenizer)) },
      uniquingKeysWith: { $1 })
    self.folder = folder
  }

  /// Where the weights of each model are.
  public var paths: [(model: Recipe.Model, path: String)] { files.map { ($0.model, $0.path) } }
}
