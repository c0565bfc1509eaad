import Schema
import Support

/// A way to make one network of several: what it needs, its parameters, and its arithmetic on one tensor.
///
/// Names, parameters and defaults are those of mergekit 0.1.5, except that a `weight` left out is 1 for every model; methods that mergekit
/// lacks have FusionBench 0.2.33's.
public struct MergeMethod: Sendable {
  public enum Base: String, Sendable, Codable { case none, optional, required }

  /// What a method looks at besides weights.
  public enum Data: String, Sendable, Codable {
    case none
    /// A network and examples for it.
    case examples
    /// The same, with the examples' labels.
    case labelledExamples
  }

  public let name: String
  /// The formula in a sentence. W₀ is the base, Wᵢ a model, δᵢ = Wᵢ − W₀ its task vector.
  public let summary: String
  /// Where the method was published.
  public let source: String?
  /// Whether it starts from the network that the models were fine-tuned from.
  public let base: Base
  /// How many models it takes, the base not counted; nil is no limit.
  public let minimumModels: Int
  public let maximumModels: Int?
  public let parameters: [MergeParameter]
  public let data: Data
  /// Whether it draws random numbers.
  public let isRandom: Bool
  /// Whether a tensor of this shape has to be in memory as a whole, for every input; others are read piece by piece.
  let needsWhole: @Sendable (_ shape: [Int], MergeSettings) -> Bool
  /// Where task vectors are trimmed over all tensors of a model together: the part of this tensor's model that is kept, for each model;
  /// nil for a tensor that is no part of that.
  let modelDensity: @Sendable (_ shape: [Int], MergeSettings) throws -> [Double]?
  /// What a single parameter's range cannot say: throws `MergeError`.
  let check: @Sendable (MergeSettings) throws -> Void
  /// Reads the inputs as often as it takes to know what concerns the whole tensor, and gives the pass that writes the merged one.
  let arithmetic: @Sendable (_ inputs: MergeInputs, _ settings: MergeSettings) throws -> MergePass

  init(
    _ name: String, _ summary: String, source: String? = nil, base: Base, models: PartialRangeFrom<Int>,
    upTo maximumModels: Int? = nil, parameters: [MergeParameter] = [], isRandom: Bool = false,
    needsWhole: @escaping @Sendable (_ shape: [Int], MergeSettings) -> Bool = { _, _ in false },
    modelDensity: @escaping @Sendable (_ shape: [Int], MergeSettings) throws -> [Double]? = { _, _ in nil },
    check: @escaping @Sendable (MergeSettings) throws -> Void = { _ in },
    arithmetic: @escaping @Sendable (_ inputs: MergeInputs, _ settings: MergeSettings) throws -> MergePass
  ) {
    (self.name, self.summary, self.source, self.base) = (name, summary, source, base)
    (minimumModels, self.maximumModels) = (models.lowerBound, maximumModels)
    (self.parameters, self.isRandom, self.check, self.arithmetic) = (parameters, isRandom, check, arithmetic)
    (self.needsWhole, self.modelDensity, data) = (needsWhole, modelDensity, .none)
  }

  /// The declaration of a method that takes a network and data, with which others carry it out.
  package init(
    _ name: String, _ summary: String, source: String? = nil, base: Base, models: PartialRangeFrom<Int>, data: Data,
    parameters: [MergeParameter] = [], isRandom: Bool = false
  ) {
    (self.name, self.summary, self.source, self.base, self.data) = (name, summary, source, base, data)
    (minimumModels, maximumModels, self.parameters, self.isRandom) = (models.lowerBound, nil, parameters, isRandom)
    (check, needsWhole, modelDensity) = ({ _ in }, { _, _ in false }, { _, _ in nil })
    arithmetic = { _, _ in throw MergeError("\(name) takes a network and data; it cannot be a part of a recipe") }
  }

  /// Every method, in the order of use.
  public static let all: [MergeMethod] = [
    .linear, .taskArithmetic, .slerp, .ties, .dareLinear, .dareTies, .della, .dellaLinear, .breadcrumbs,
    .breadcrumbsTies, .magMax, .tsvM, .isoC, .isoCts, .wudi, .doge, .modelStock, .nuslerp, .multislerp, .karcher, .sce,
    .ram, .ramPlus, .expo, .nearswap, .arceeFusion,
    .passthrough,
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
}
