import Torch

/// A model's tensors, of files or merged before.
struct ModelTensors {
  /// In the order of the files.
  let names: [String]
  /// Every stack of layers, the largest first.
  private let stacks: [Stack]
  private let operands: [String: any Operand]
  /// nil where the model comes without a tokenizer, or nobody asks.
  let vocabulary: Vocabulary?

  init(_ files: ModelFiles, hasVocabulary: Bool) throws {
    vocabulary = hasVocabulary && files.isFolder ? try Vocabulary(folder: files.path) : nil
    names = files.weights.names
    stacks = Self.stacks(zip(names, files.weights.tensors.map(\.count)))
    var operands: [String: any Operand] = [:]
    for (name, tensor) in zip(names, files.weights.tensors) {
      operands[name] = try TensorSource(files.adapter?.replacements[name] ?? tensor)
    }
    for (name, change) in files.adapter?.changes ?? [:] {
      guard let weight = operands[name] as? TensorSource else {
        throw MergeError("\(files.model): the adapter changes \(name), which the model does not have")
      }
      guard weight.shape == change.shape else {
        throw MergeError("\(files.model): \(name) is \(weight.shape), and the adapter's change \(change.shape)")
      }
      operands[name] = AdaptedTensor(weight: weight, change: change)
    }
    for (name, tensor) in files.adapter?.replacements ?? [:] where files.weights[name]?.shape != tensor.shape {
      throw MergeError("\(files.model): the adapter replaces \(name) by another shape, \(tensor.shape)")
    }
    self.operands = operands
  }

  init(_ tensors: [PlannedTensor], vocabulary: Vocabulary?) {
    self.vocabulary = vocabulary
    names = tensors.map(\.name)
    operands = Dictionary(tensors.map { ($0.name, $0 as any Operand) }, uniquingKeysWith: { $1 })
    stacks = Self.stacks(tensors.map { ($0.name, $0.count) })
  }

  subscript(name: String) -> (any Operand)? { operands[name] }

  // MARK: Layers

  private struct Stack {
    let stack: LayerStack
    var size = 0
    /// What each layer has, by its number: names without the layer.
    var parts: [Int: [String]] = [:]
  }

  private static func stacks(_ tensors: some Sequence<(String, Int)>) -> [Stack] {
    let tensors = Array(tensors)
    var found = LayerStack.all(tensors.map(\.0)).mapValues { Stack(stack: $0) }
    for (name, count) in tensors {
      guard let place = LayerStack.place(of: name) else { continue }
      found[place.prefix]?.size += count
      found[place.prefix]?.parts[place.layer, default: []].append(place.rest)
    }
    return found.values.sorted { ($0.size, $1.stack.prefix) > ($1.size, $0.stack.prefix) }
  }

  private func found(_ part: String?) -> Stack? {
    guard let part else { return stacks.first }
    return stacks.first { $0.stack.prefix.split(separator: ".").contains { $0 == part } }
  }

  /// The stack of layers that most elements belong to, or that of a part of the network, which a component of its
  /// tensors' names calls by name.
  func stack(in part: String? = nil) -> LayerStack? { found(part)?.stack }

  /// What a layer of that stack has, by names without the layer.
  func parts(ofLayer layer: Int, in part: String?) -> [String] { found(part)?.parts[layer] ?? [] }
}

extension [Recipe.Model: ModelTensors] {
  /// - Throws: `MergeError` for a model that was not read.
  func required(_ model: Recipe.Model) throws -> ModelTensors {
    guard let tensors = self[model] else { throw MergeError("\(model): was not read") }
    return tensors
  }
}
