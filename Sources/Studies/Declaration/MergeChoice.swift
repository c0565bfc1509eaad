import Checkpoints
import Merging
import Schema
import Weights

/// How the endpoints of a branch point are merged.
public struct MergeChoice: Codable, Hashable, Sendable {
  /// What becomes of BatchNorm's statistics.
  public enum BatchNorm: String, Codable, CaseIterable, Sendable {
    /// Statistics are averaged: with the weights of a linear merge, plainly by the methods on task vectors, since a
    /// variance that is extrapolated may turn negative.
    case average
    /// Statistics are measured anew on training examples.
    case reestimate
  }

  /// Which endpoints are merged with one another.
  public enum Group: String, Codable, CaseIterable, Sendable {
    /// every two; in a run with tasks every two of different tasks
    case pairs
    /// all of the branch point at once
    case all
  }

  /// A method of `Merging` with its α's and parameters.
  public struct Method: Codable, Hashable, Sendable {
    /// As `MergeMethod.named` knows it.
    public var name: String
    /// nil: the merge's.
    public var alphas: [Double]?
    /// Every parameter that α does not stand for, flags as 0 and 1; nil: the defaults.
    public var parameters: [String: Double]?

    /// A method with its defaults, or with α's and parameters of its own.
    public init(name: String, alphas: [Double]? = nil, parameters: [String: Double]? = nil) {
      self.name = name
      self.alphas = alphas
      self.parameters = parameters?.isEmpty ?? true ? nil : parameters
    }
  }

  /// α of the methods that name none of their own.
  public var alphas: [Double]
  /// What becomes of BatchNorm's statistics.
  public var batchNorm: BatchNorm
  /// Training examples for `reestimate`; nil: all in use.
  public var batchNormSamples: Int?
  /// nil: the usual one.
  public var methods: [Method]?
  /// nil: pairs.
  public var groups: [Group]?

  /// By default the midpoint of every pair.
  public init(
    alphas: [Double] = [0.5], batchNorm: BatchNorm = .average, batchNormSamples: Int? = nil,
    methods: [Method]? = nil, groups: [Group]? = nil
  ) {
    self.alphas = alphas
    self.batchNorm = batchNorm
    self.batchNormSamples = batchNormSamples
    // The same merges are the same configuration, however they are written.
    self.methods = methods == [.usual] ? nil : methods
    self.groups = groups == [.pairs] ? nil : groups
  }

  /// Whether any method starts from the trunk at the branch point, which is then evaluated too.
  public var usesBase: Bool { (methods ?? []).contains { $0.method?.base == .required } }
}

extension MergeChoice.Method {
  /// What endpoints are merged by where nothing else is asked for.
  public static let usual = Self(name: MergeMethod.linear.name)

  var method: MergeMethod? { try? MergeMethod.named(name) }

  /// What α is to the method; nil where there is no such number.
  var alpha: MergeMethod.Alpha? { method?.alpha }

  /// The values of α for a merge of `models` models: one nil where there is nothing to choose, as in the mean of three.
  func alphas(_ usual: [Double], models: Int) -> [Double?] {
    switch alpha?.meaning {
    case .position: models == 2 ? alphas ?? usual : [nil]
    case .scale: alphas ?? usual
    case nil: [nil]
    }
  }

  private func settings(_ method: MergeMethod, alpha: Double?, models: Int) throws -> MergeSettings {
    var values = (parameters ?? [:]).mapValues { [$0] }
    if let alpha, let parameter = method.alpha?.parameter {
      let perModel = method.parameters.contains { $0.name == parameter && $0.perModel }
      values[parameter] = perModel ? [1 - alpha, alpha] : [alpha]
    }
    return try MergeSettings(values, for: method, models: models)
  }

  /// - Throws: `MergeError` for parameters that the method does not take, or values it does not take.
  func requireSettings(models: Int) throws {
    let method = try MergeMethod.named(name)
    try method.requireInputs(models: models, hasBase: method.base == .required)
    if let taken = method.alpha?.parameter, parameters?[taken] != nil {
      throw MergeError("\(name): \(taken) is what alphas stand for; leave it out")
    }
    _ = try settings(method, alpha: method.alpha?.meaning == .scale || models == 2 ? 0.5 : nil, models: models)
  }

  /// Whether BatchNorm's statistics are merged like all else, straight from one model to the other.
  var mergesStatistics: Bool { method?.traits.contains(.mergesStatistics) ?? false && parameters == nil }

  /// The merge. `base` is the trunk at the branch point.
  func merged(_ models: [Weights], base: Weights?, alpha: Double?, seed: UInt64) throws -> Weights {
    let method = try MergeMethod.named(name)
    return try merge(
      models, base: method.base == .required ? base : nil, method: method,
      settings: settings(method, alpha: alpha, models: models.count), seed: seed)
  }
}

extension MergeChoice {
  /// Reports what is impossible. `endpoints` is how many there are at a branch point.
  func check(_ check: inout ConfigurationCheck, endpoints: Int, hasTasks: Bool) {
    Self.check(&check, alphas, at: "merge.alphas", isPosition: methods == nil)
    check.require(methods?.isEmpty != true, "merge.methods", "is empty; expected at least one, such as [linear]")
    check.require(groups?.isEmpty != true, "merge.groups", "is empty; expected pairs, all, or both")
    let groups = groups ?? [.pairs]
    check.require(Set(groups).count == groups.count, "merge.groups", "names the same group more than once")
    check.require(
      !hasTasks || !groups.contains(.all), "merge.groups", "has `all`; a run with tasks merges pairs of different tasks"
    )
    for (index, method) in (methods ?? []).enumerated() {
      let path = "merge.methods.\(index)"
      check.require(methods?.firstIndex(of: method) == index, path, "is there twice: \(method.name)")
      for models in groups.map({ $0 == .pairs ? 2 : endpoints }) {
        do { try method.requireSettings(models: models) } catch { check.require(false, path, "\(error)") }
      }
      check.require(
        method.alphas == nil || method.alpha != nil, path, "has alphas, but \(method.name) takes no such number"
      )
      if let alpha = method.alpha {
        Self.check(&check, method.alphas ?? alphas, at: path, isPosition: alpha.meaning == .position)
      }
    }
  }

  private static func check(
    _ check: inout ConfigurationCheck, _ alphas: [Double], at path: String, isPosition: Bool
  ) {
    check.require(!alphas.isEmpty, path, "is empty; expected at least one α, such as [0.5]")
    for alpha in alphas {
      check.require(
        alpha.isFinite && abs(alpha) <= 100 && (!isPosition || (0...1).contains(alpha)), path,
        "has \(alpha); expected \(isPosition ? "0 … 1" : "a number within −100 … 100")")
    }
    check.require(Set(alphas).count == alphas.count, path, "names the same α more than once")
  }
}
