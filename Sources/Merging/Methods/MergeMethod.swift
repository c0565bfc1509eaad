import Support
import Torch

/// A way to make one network of several: what it needs, its parameters, and its arithmetic on one tensor.
///
/// Names, parameters and defaults are those of mergekit 0.1.5, except that a `weight` left out is 1 for every model;
/// methods that mergekit lacks have FusionBench 0.2.33's.
///
/// A method of your own is its arithmetic over plain tensors:
///
/// ```swift
/// let largest = MergeMethod(
///   "largest", "W₀ + λ (max Wᵢ − W₀)", base: .required, models: 1...,
///   parameters: [.number("lambda", default: 1, "the factor of the change")], traits: .elementwise
/// ) { models, base, settings in
///   guard let base else { throw MergeError("the base is missing") }
///   let largest = try models.dropFirst().reduce(models[0]) { try $0.maximum($1) }
///   return try base + (largest - base) * settings.number("lambda")
/// }
/// ```
public struct MergeMethod: Sendable {
  /// Whether a method starts from the network that the models were fine-tuned from.
  public enum Base: String, Sendable, Codable {
    /// It has no use for a base.
    case none
    /// It works without one, and otherwise with one.
    case optional
    /// It needs one.
    case required
  }

  /// What a method looks at besides weights.
  public enum Data: String, Sendable, Codable {
    /// Nothing: it can be a part of a recipe.
    case none
    /// A network and examples for it.
    case examples
    /// The same, with the examples' labels.
    case labelledExamples
  }

  /// What others must know of a method besides its arithmetic; no name of a method decides anything.
  public struct Traits: OptionSet, Sendable {
    /// One bit for each trait.
    public let rawValue: Int
    /// Traits by their bits.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// An element of the result depends on the same element of the inputs alone: tensors of any size are then merged
    /// piece by piece.
    public static let elementwise = Traits(rawValue: 1)
    /// It draws random numbers, which follow from the merge's seed.
    public static let random = Traits(rawValue: 2)
    /// It merges integers and BatchNorm's statistics like everything else. By other methods they are averaged, and
    /// integers rounded.
    public static let mergesStatistics = Traits(rawValue: 4)
    /// Of a recipe's models the base comes first, though the method only counts it as one of them.
    public static let startsAtBase = Traits(rawValue: 8)
    /// With the default values of its parameters it gives its only model as it is, byte for byte and in any type.
    public static let copies = Traits(rawValue: 16)
  }

  /// The one number of a method that studies sweep and call α.
  public struct Alpha: Sendable, Hashable {
    /// What α measures.
    public enum Meaning: Sendable {
      /// The part of the second of two models, 0 … 1: the merge moves from the first to the second.
      case position
      /// The factor of the merged task vector: the merge moves away from the base, which is at 0.
      case scale
    }

    /// What it measures.
    public let meaning: Meaning
    /// The parameter that it sets: one with a value for each model becomes 1 − α and α.
    public let parameter: String
    /// What figures call it.
    public let symbol: String

    /// α as the value of a parameter.
    public init(_ meaning: Meaning, of parameter: String, symbol: String) {
      (self.meaning, self.parameter, self.symbol) = (meaning, parameter, symbol)
    }
  }

  /// As recipes, studies and the command line call it.
  public let name: String
  /// The formula in a sentence. W₀ is the base, Wᵢ a model, δᵢ = Wᵢ − W₀ its task vector.
  public let summary: String
  /// Where the method was published.
  public let source: String?
  /// Whether it starts from the network that the models were fine-tuned from.
  public let base: Base
  /// How many models it takes at least, the base not counted.
  public let minimumModels: Int
  /// How many models it takes at most; nil is no limit.
  public let maximumModels: Int?
  /// Its parameters, in the order of help and documentation.
  public let parameters: [MergeParameter]
  /// What it looks at besides weights.
  public let data: Data
  /// What others must know of it.
  public let traits: Traits
  /// What studies sweep; nil where there is no such number.
  public let alpha: Alpha?
  /// Whether a tensor of this shape has to be in memory as a whole, for every input; others are read piece by piece.
  let needsWhole: @Sendable (_ shape: [Int], MergeSettings) -> Bool
  /// Where task vectors are trimmed over all tensors of a model together: the part of this tensor's model that is kept,
  /// for each model; nil for a tensor that is no part of that.
  let modelDensity: @Sendable (_ shape: [Int], MergeSettings) throws -> [Double]?
  /// What a single parameter's range cannot say: throws `MergeError`.
  let check: @Sendable (MergeSettings) throws -> Void
  /// Reads the inputs as often as it takes to know what concerns the whole tensor, and gives the pass that writes the
  /// merged one.
  let arithmetic: @Sendable (_ inputs: MergeInputs, _ settings: MergeSettings) throws -> MergePass

  /// A method over plain tensors.
  ///
  /// - Parameters:
  ///   - name: as recipes and the command line call it
  ///   - summary: the formula in a sentence
  ///   - source: where it was published
  ///   - base: whether it needs the network that the models were fine-tuned from
  ///   - models: how many models it takes at least, the base not counted
  ///   - maximumModels: how many it takes at most
  ///   - parameters: what the settings hold, with ranges and defaults; they are checked before `combine` is called
  ///   - traits: what else must be known; without `elementwise` every input's whole tensor is in memory at once
  ///   - alpha: what studies sweep; nil: a parameter called `lambda`, if there is one, as a `scale`
  ///   - check: throws `MergeError` for settings that the parameters' ranges let pass
  ///   - combine: gives the merged tensor. `models` and `base` (nil where there is none) have one shape and one type,
  ///     float32
  ///     or, where an input has float64, that; the result has the same shape and is rounded to the stored type once. An
  ///     elementwise method gets pieces as vectors, any other one tensors in their own shape. Operators run on one
  ///     thread and record no gradients; several tensors may be merged at once, each on a thread of its own
  public init(
    _ name: String, _ summary: String, source: String? = nil, base: Base, models: PartialRangeFrom<Int>,
    upTo maximumModels: Int? = nil, parameters: [MergeParameter] = [], traits: Traits = [], alpha: Alpha? = nil,
    check: @escaping @Sendable (MergeSettings) throws -> Void = { _ in },
    combine: @escaping @Sendable (_ models: [Tensor], _ base: Tensor?, _ settings: MergeSettings) throws -> Tensor
  ) {
    self.init(
      name, summary, source: source, base: base, models: models, upTo: maximumModels, parameters: parameters,
      traits: traits, alpha: alpha, needsWhole: { _, _ in !traits.contains(.elementwise) }, check: check,
      arithmetic: { inputs, settings in
        try TensorArithmetic.pass(inputs, by: name, isElementwise: traits.contains(.elementwise)) {
          try combine($0, $1, settings)
        }
      })
  }

  /// A method over vectors in a thread's working memory: for speed, and for tensors that need not be in memory.
  init(
    _ name: String, _ summary: String, source: String? = nil, base: Base, models: PartialRangeFrom<Int>,
    upTo maximumModels: Int? = nil, parameters: [MergeParameter] = [], traits: Traits = [], alpha: Alpha? = nil,
    data: Data = .none, needsWhole: @escaping @Sendable (_ shape: [Int], MergeSettings) -> Bool = { _, _ in false },
    modelDensity: @escaping @Sendable (_ shape: [Int], MergeSettings) throws -> [Double]? = { _, _ in nil },
    check: @escaping @Sendable (MergeSettings) throws -> Void = { _ in },
    arithmetic: @escaping @Sendable (_ inputs: MergeInputs, _ settings: MergeSettings) throws -> MergePass
  ) {
    (self.name, self.summary, self.source, self.base, self.data) = (name, summary, source, base, data)
    (minimumModels, self.maximumModels) = (models.lowerBound, maximumModels)
    (self.parameters, self.traits, self.check, self.arithmetic) = (parameters, traits, check, arithmetic)
    (self.needsWhole, self.modelDensity) = (needsWhole, modelDensity)
    let scale = parameters.first { $0.name == "lambda" }.map { Alpha(.scale, of: $0.name, symbol: "λ") }
    self.alpha = alpha ?? scale
  }

  /// The declaration of a method that takes a network and data, with which others carry it out.
  package init(
    _ name: String, _ summary: String, source: String? = nil, base: Base, models: PartialRangeFrom<Int>, data: Data,
    parameters: [MergeParameter] = [], traits: Traits = []
  ) {
    self.init(
      name, summary, source: source, base: base, models: models, parameters: parameters, traits: traits, data: data,
      arithmetic: { _, _ in throw MergeError("\(name) takes a network and data; it cannot be a part of a recipe") })
  }

  /// Every method, in the order of use.
  public static let all: [MergeMethod] = [
    .linear, .taskArithmetic, .slerp, .ties, .dareLinear, .dareTies, .della, .dellaLinear, .breadcrumbs,
    .breadcrumbsTies, .magMax, .tsvM, .isoC, .isoCts, .wudi, .doge, .modelStock, .nuslerp, .multislerp, .karcher, .sce,
    .ram, .ramPlus, .expo, .nearswap, .arceeFusion, .passthrough,
  ]

  /// The method called `name`.
  ///
  /// - Throws: `MergeError` with the names there are.
  public static func named(_ name: String) throws -> MergeMethod { try named(name, among: all) }

  /// - Throws: `MergeError` with the likely name, and those there are.
  package static func named(_ name: String, among methods: [MergeMethod]) throws -> MergeMethod {
    guard let method = methods.first(where: { $0.name == name }) else {
      let names = methods.map(\.name)
      let guess = closest(to: name, in: names).map { "; did you mean \($0)?" } ?? ""
      throw MergeError("there is no merge method \(name); there are \(names.joined(separator: ", "))\(guess)")
    }
    return method
  }

  /// Whether it draws random numbers.
  public var isRandom: Bool { traits.contains(.random) }

  /// How many models the method takes, in words.
  public var modelCount: String {
    guard let maximumModels else { return "\(minimumModels) or more models" }
    if maximumModels == 1 { return "1 model" }
    return minimumModels == maximumModels ? "\(minimumModels) models" : "\(minimumModels) to \(maximumModels) models"
  }

  /// - Throws: `MergeError` for too few or too many models, a missing base, or one that the method would not use.
  public func requireInputs(models: Int, hasBase: Bool) throws {
    guard models >= minimumModels, models <= maximumModels ?? .max else {
      let found = models == 0 ? "there is none" : models == 1 ? "there is 1" : "there are \(models)"
      throw MergeError("\(name) takes \(modelCount)\(base == .none ? "" : " besides the base"); \(found)")
    }
    guard hasBase || base != .required else {
      throw MergeError("\(name) needs the base: the weights that the models were fine-tuned from")
    }
    guard !hasBase || base != .none else {
      throw MergeError("\(name) uses no base; leave it out or list it as a model")
    }
  }

  /// The last pass over a tensor; integers are averaged where the method does not merge them itself.
  func pass(_ inputs: MergeInputs, _ settings: MergeSettings, isInteger: Bool) throws -> MergePass {
    guard isInteger, !traits.contains(.mergesStatistics) else { return try arithmetic(inputs, settings) }
    let part = 1 / Double(inputs.models.count)
    return Combination.pass(inputs, .models, inputs.models.map { _ in part })
  }
}
