import Checkpoints
import Foundation
import Support
import Torch

/// What to do for every tensor of a merge's result, known from the inputs' headers alone.
public struct MergePlan: Sendable {
  /// In the order in which they are written.
  public let tensors: [PlannedTensor]
  /// The folder whose config.json the result gets; nil for weights that are plain files.
  public let configuration: String?
  /// The folder whose tokenizer the result gets; nil for weights that are plain files.
  public let tokenizer: String?
  /// The vocabulary, where the recipe says which.
  let vocabulary: VocabularyPlan?
  /// Where the recipe puts layers together: which layer of its first source each of the result's is.
  let layerOrder: [Int]?
  /// What the recipe leads to and may not mean, a sentence each.
  public let notes: [String]
  /// What was planned.
  public let recipe: Recipe
  /// The inputs' paths, by the models that the recipe names.
  public let inputs: [(model: Recipe.Model, path: String)]

  /// Reads the headers of all inputs and plans every tensor.
  ///
  /// - Parameter folder: where the recipe's relative paths start (they may also start at the working folder).
  /// - Throws: `FileError` for files that cannot be read, `MergeError` with every tensor that does not fit.
  public init(_ recipe: Recipe, relativeTo folder: String = ".", seed: UInt64 = 0) throws {
    try self.init(recipe, models: MergeModels(recipe, relativeTo: folder), seed: seed)
  }

  /// Plans every tensor from files that are open already.
  public init(_ recipe: Recipe, models: MergeModels, seed: UInt64 = 0) throws {
    let files = models.files
    var planner = MergePlanner(models, seed: seed)
    var notes = recipe.notes
    for merge in recipe.merges {
      let tensors = try planner.plan(merge.recipe)
      let own = merge.recipe.ownModels.first.flatMap { planner.inputs[$0]?.vocabulary }
      planner.inputs[Recipe.Model(merge.name)] = ModelTensors(
        tensors, vocabulary: planner.vocabulary?.target ?? own)
    }
    tensors = try planner.plan(recipe)
    vocabulary = planner.vocabulary
    guard !tensors.isEmpty else { throw MergeError("the result would have no tensors") }
    let donor = recipe.base ?? recipe.modules[0].slices[0].sources[0].model
    let folders = files.filter(\.isFolder)
    configuration = (folders.first { $0.model == donor } ?? folders.first)?.path
    if case .model(let model) = recipe.tokenizer?.source {
      tokenizer = try folders.first { $0.model == model }?.path ?? ModelFiles.locate(model, models.folder)
    } else {
      tokenizer = configuration
    }
    layerOrder = planner.layerOrder
    notes += planner.notes
    let donors = folders.filter { TokenizerFiles.exist(in: $0.path) }
    if let tokenizer, !TokenizerFiles.exist(in: tokenizer), recipe.tokenizer != nil || !donors.isEmpty {
      let name = URL(fileURLWithPath: tokenizer).lastPathComponent
      guard recipe.tokenizer == nil else {
        throw FileError(
          tokenizer, "has no tokenizer, which the recipe asks for; leave out `tokenizer`, or name a model that has one")
      }
      notes.append(
        "\(name) has no tokenizer, so the result gets none; tokenizer_source: \(donors[0].model) takes that one's")
    }
    if recipe.chatTemplate == "auto", ChatTemplate.commonest(folders.map(\.path)) == nil {
      notes.append("chat_template: auto: none of the models has a chat template, so the result gets none")
    }
    self.notes = notes
    self.recipe = recipe
    inputs = files.map { ($0.model, $0.path) }
  }

  /// Bytes of the result's tensors.
  public var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }

  /// Elements of the result's tensors.
  public var elementCount: Int { tensors.reduce(0) { $0 + $1.count } }

  /// Bytes that the inputs' tensors take, each counted as often as it is an input.
  public var inputByteCount: Int { tensors.reduce(0) { $0 + $1.inputByteCount } }

  /// How many rows the embeddings have, where the recipe says which tokens there are.
  var vocabularyRows: Int? {
    guard vocabulary != nil else { return nil }
    return tensors.first { $0.shape.count == 2 && VocabularyPlan.isVocabulary($0.name) }?.shape[0]
  }

  /// An estimate of the working memory in bytes: chunks of every input for each thread, and one tensor for each merge
  /// within the merge.
  public func memory(threads: Int) -> Int {
    let most = tensors.map(\.mergingByteCount).sorted(by: >).prefix(threads).reduce(0, +)
    return most + threads * MergeExecutor.bufferSize + 100 << 20
  }
}
