import Checkpoints
import Foundation
import Support
import Torch

/// What is to be done for every tensor of a merge's result, known from the inputs' headers alone.
public struct MergePlan: Sendable {
  /// In the order in which they are written.
  public let tensors: [PlannedTensor]
  /// Whose config.json the result gets, and whose tokenizer; nil for weights that are plain files.
  public let configuration: String?
  public let tokenizer: String?
  /// The vocabulary, where the recipe says which.
  let vocabulary: VocabularyPlan?
  /// Where the recipe puts layers together: for each of the result's which one of its first source it is.
  let layerOrder: [Int]?
  /// What the recipe leads to that it may not mean, one sentence each.
  public let notes: [String]
  public let recipe: Recipe
  /// The inputs' paths, by the models that the recipe names.
  public let inputs: [(model: Recipe.Model, path: String)]

  /// Reads the headers of all inputs and plans every tensor.
  ///
  /// - Parameter folder: where the recipe's relative paths start (they may also start at the working folder).
  /// - Throws: `CheckpointError` for files that cannot be read, `MergeError` with every tensor that does not fit.
  public init(_ recipe: Recipe, relativeTo folder: String = ".", seed: UInt64 = 0) throws {
    try self.init(recipe, models: MergeModels(recipe, relativeTo: folder), seed: seed)
  }

  /// Plans every tensor from files that are open already.
  public init(_ recipe: Recipe, models: MergeModels, seed: UInt64 = 0) throws {
    let files = models.files
    var planner = MergePlanner(seed: seed)
    planner.folder = models.folder
    planner.inputs = models.inputs
    var notes = recipe.notes
    for merge in recipe.merges {
      let tensors = try planner.plan(merge.recipe)
      let own = merge.recipe.ownModels.first.flatMap { planner.inputs[$0]?.vocabulary }
      planner.inputs[Recipe.Model(merge.name)] = MergePlanner.Input(
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
    let donors = folders.filter { ModelFolder.hasTokenizer($0.path) }
    if let tokenizer, !ModelFolder.hasTokenizer(tokenizer), recipe.tokenizer != nil || !donors.isEmpty {
      let name = URL(fileURLWithPath: tokenizer).lastPathComponent
      guard recipe.tokenizer == nil else {
        throw CheckpointError(
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

  public var elementCount: Int { tensors.reduce(0) { $0 + $1.count } }

  /// Bytes that the inputs' tensors take, each counted as often as it is an input.
  public var inputByteCount: Int { tensors.reduce(0) { $0 + $1.inputByteCount } }

  /// How many rows the embeddings have, where the recipe says which tokens there are.
  var vocabularyRows: Int? {
    guard vocabulary != nil else { return nil }
    return tensors.first { $0.shape.count == 2 && VocabularyPlan.isVocabulary($0.name) }?.shape[0]
  }

  /// An estimate of the working memory in bytes: chunks of every input for each thread, and one tensor for each merge within the merge.
  public func memory(threads: Int) -> Int {
    let most = tensors.map { $0.workingBytes }.sorted(by: >).prefix(threads).reduce(0, +)
    return most + threads * TensorWriter.bufferSize + 100 << 20
  }
}

/// One tensor of the result, and what it is made of.
public final class PlannedTensor: Sendable {
  /// An input: a tensor of a file, one with an adapter's change, or one merged before.
  enum Operand: Sendable {
    case stored(TensorSource)
    case adapted(AdaptedTensor)
    case merged(PlannedTensor)
    case rearranged(RearrangedRows)

    var shape: [Int] {
      switch self {
      case .stored(let source): source.shape
      case .adapted(let tensor): tensor.weight.shape
      case .merged(let tensor): tensor.shape
      case .rearranged(let rows): rows.shape
      }
    }

    var dtype: DType {
      switch self {
      case .stored(let source): source.dtype
      case .adapted(let tensor): tensor.weight.dtype
      case .merged(let tensor): tensor.dtype
      case .rearranged(let rows): rows.dtype
      }
    }
  }

  public let name: String
  public let shape: [Int]
  public let dtype: DType
  public let method: MergeMethod
  public let settings: MergeSettings
  /// The models in words: `<model>: <tensor>`.
  public let sources: [String]
  let models: [Operand]
  let base: Operand?
  let seed: UInt64
  /// Where task vectors are trimmed over several tensors together.
  let modelTrim: ModelTrim?

  init(
    name: String, dtype: DType, method: MergeMethod, settings: MergeSettings, models: [Operand], base: Operand?,
    sources: [String], modelTrim: ModelTrim? = nil, seed: UInt64
  ) {
    (self.name, self.dtype, self.method, self.settings) = (name, dtype, method, settings)
    (self.models, self.base, self.sources, self.seed) = (models, base, sources, seed)
    self.modelTrim = modelTrim
    shape = models.first?.shape ?? []
  }

  /// The tensors of one merge with what is trimmed together found.
  static func trimmed(_ tensors: [PlannedTensor]) throws -> [PlannedTensor] {
    let trims = try ModelTrim.groups(tensors) { tensor in
      guard tensor.dtype.isFloatingPoint, tensor.count > 0 else { return nil }
      return try tensor.method.modelDensity(tensor.shape, tensor.settings)
    } member: { tensor in
      let member = ModelTrim.Member(name: tensor.name, count: tensor.count) { model, workspace in
        guard let base = tensor.base else { throw MergeError("\(tensor.name): the base is missing") }
        return (try tensor.models[model].source(workspace), try base.source(workspace))
      }
      return (member, tensor.operands.contains { $0.dtype == .float64 || !$0.dtype.isFloatingPoint })
    }
    return tensors.enumerated().map { place, tensor in
      guard let trim = trims[place] else { return tensor }
      return PlannedTensor(
        name: tensor.name, dtype: tensor.dtype, method: tensor.method, settings: tensor.settings, models: tensor.models,
        base: tensor.base, sources: tensor.sources, modelTrim: trim, seed: tensor.seed)
    }
  }

  public var count: Int { shape.reduce(1, *) }
  public var byteCount: Int { count * dtype.byteCount }

  private var operands: [Operand] { models + (base.map { [$0] } ?? []) }

  var inputByteCount: Int { operands.reduce(0) { $0 + $1.byteCount } }

  /// Where the only input is to be copied as it is, that input.
  var copied: TensorSource? {
    guard method.name == "passthrough", models.count == 1, case .stored(let source) = models[0], source.dtype == dtype,
      settings.all["scale"]?.allSatisfy({ $0 == 1 }) ?? false
    else { return nil }
    return source
  }

  /// Bytes that one thread needs for it.
  var workingBytes: Int {
    // Of decompositions about three matrices a model in float64.
    let whole = method.needsWhole(shape, settings) ? 24 * operands.count * count : 0
    let chunks = (operands.count + 4) * MergeInputs.chunk * 8 + whole
    // A bit for each element of each input, and of the few elements near a boundary by magnitude all that is known.
    let noted = (operands.count + 2) * count / 8
    return operands.reduce(chunks + noted) { $0 + $1.workingBytes }
  }
}

extension PlannedTensor.Operand {
  /// Bytes that are read.
  var byteCount: Int {
    switch self {
    case .stored(let source): source.count * source.dtype.byteCount
    case .adapted(let tensor): tensor.weight.count * tensor.weight.dtype.byteCount
    case .merged(let tensor): tensor.inputByteCount
    case .rearranged(let rows): rows.operands[rows.own].byteCount
    }
  }

  /// Bytes that have to be in memory at once.
  var workingBytes: Int {
    switch self {
    case .stored: 0
    case .adapted(let tensor): 3 * tensor.weight.count * 4
    case .merged(let tensor): tensor.count * 4 + tensor.workingBytes
    case .rearranged(let rows): rows.rows.count * 32 + rows.operands.reduce(0) { $0 + $1.workingBytes }
    }
  }
}
