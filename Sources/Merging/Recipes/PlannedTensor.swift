import Torch

/// One tensor of a merge's result, and what it is made of.
public final class PlannedTensor: Sendable {
  /// As the result has it.
  public let name: String
  /// That of its inputs.
  public let shape: [Int]
  /// The type that it is stored in.
  public let dtype: DType
  /// How it is merged; `passthrough` where it is taken from one model alone.
  public let method: MergeMethod
  /// The values of the method's parameters for this tensor.
  public let settings: MergeSettings
  /// What it is made of, in words: `<model>: <tensor>`, the base last.
  public let sources: [String]
  let models: [any Operand]
  let base: (any Operand)?
  let seed: UInt64
  /// Where task vectors are trimmed over several tensors together.
  let modelTrim: ModelTrim?

  init(
    name: String, dtype: DType, method: MergeMethod, settings: MergeSettings, models: [any Operand],
    base: (any Operand)?, sources: [String] = [], modelTrim: ModelTrim? = nil, seed: UInt64
  ) {
    (self.name, self.dtype, self.method, self.settings) = (name, dtype, method, settings)
    (self.models, self.base, self.sources, self.seed) = (models, base, sources, seed)
    self.modelTrim = modelTrim
    shape = models.first?.shape ?? []
  }

  /// The tensors of one merge, each knowing what is trimmed together with it: tensors that keep the same part of each
  /// model make up one model.
  static func trimmed(_ tensors: [PlannedTensor]) throws -> [PlannedTensor] {
    var members: [[Double]: [ModelTrim.Member]] = [:]
    let densities = try tensors.map { tensor -> [Double]? in
      guard tensor.dtype.isFloatingPoint, tensor.count > 0,
        let densities = try tensor.method.modelDensity(tensor.shape, tensor.settings)
      else { return nil }
      guard let base = tensor.base else { throw MergeError("\(tensor.name): the base is missing") }
      members[densities, default: []].append(ModelTrim.Member(models: tensor.models, base: base))
      return densities
    }
    let trims = Dictionary(uniqueKeysWithValues: members.map { ($0, ModelTrim($1, densities: $0)) })
    return zip(tensors, densities).map { tensor, densities in
      guard let densities else { return tensor }
      return PlannedTensor(
        name: tensor.name, dtype: tensor.dtype, method: tensor.method, settings: tensor.settings, models: tensor.models,
        base: tensor.base, sources: tensor.sources, modelTrim: trims[densities], seed: tensor.seed)
    }
  }

  /// How many elements it has.
  public var count: Int { shape.reduce(1, *) }
  /// How many bytes it takes as it is stored.
  public var byteCount: Int { count * dtype.byteCount }

  /// Everything that it is made of, in the order of `sources`.
  var operands: [any Operand] { models + (base.map { [$0] } ?? []) }

  /// Where the only input is to be copied as it is, that input.
  var copied: TensorSource? {
    guard method.traits.contains(.copies), models.count == 1, let source = models[0] as? TensorSource,
      source.dtype == dtype, settings == (try? MergeSettings(for: method, models: 1))
    else { return nil }
    return source
  }

  /// Bytes that are read, those of merges before it among them.
  var inputByteCount: Int { operands.reduce(0) { $0 + $1.inputByteCount } }

  /// Bytes of memory that one thread needs to merge it.
  var mergingByteCount: Int {
    // Decompositions take about three matrices a model in float64.
    let whole = method.needsWhole(shape, settings) ? 24 * operands.count * count : 0
    let chunks = (operands.count + 4) * Chunks.length * 8 + whole
    // A bit for each element of each input, and all that is known of the few elements near a boundary by magnitude.
    let noted = (operands.count + 2) * count / 8
    return operands.reduce(chunks + noted) { $0 + $1.workingByteCount }
  }
}
