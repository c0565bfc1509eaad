import ArgumentParser
import DataMerging
import Foundation
import Merging
import Studies
import Workbench

/// A merge declared on the command line instead of in a recipe.
struct MergeArguments: ParsableArguments {
  @Option(
    help: "How to merge; instead of as the first word.", completion: .list(DataMethod.declarations.map(\.name)))
  var method: String?
  @Option(help: "The weights that the models were fine-tuned from.")
  var base: String?
  @Option(parsing: .unconditional, help: "linear with two models: the share of the second.  (default: 0.5)")
  var alpha: Double?
  @Option(
    parsing: .unconditional,
    help: "A weight for each model, separated by commas.  (default: equal shares for linear, otherwise 1)")
  var weights: String?
  @Option(help: "The share of each task vector to keep: one for all, or one per model, separated by commas.")
  var density: String?
  @Option(
    name: .customLong("set"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Another parameter of the method; may be repeated.", valueName: "key=value"))
  var assignments: [String] = []
  @Option(help: "What to do with tensors that only some models have: error, copy or drop.  (default: error)")
  var missingTensors: Recipe.MissingTensors?
  @Option(help: "The seed of methods that draw random numbers.") var seed: UInt64 = 0
  @Flag(help: "linear: allow coefficients below 0 or above 1, or with a sum other than 1.") var extrapolate = false

  /// The options that a recipe makes needless.
  var given: [String] {
    [
      ("--method", method != nil), ("--base", base != nil), ("--alpha", alpha != nil), ("--weights", weights != nil),
      ("--density", density != nil), ("--missing-tensors", missingTensors != nil), ("--set", !assignments.isEmpty),
      ("--extrapolate", extrapolate),
    ].filter(\.1).map(\.0)
  }

  /// The method and the models that the words name.
  private func parts(_ words: [String]) throws -> (method: MergeMethod, models: [String]) {
    if let method { return (try MergeMethod.named(method, among: DataMethod.declarations), words) }
    if let first = words.first, !FileManager.default.fileExists(atPath: first) {
      if let method = DataMethod.declarations.first(where: { $0.name == first }) {
        return (method, Array(words.dropFirst()))
      }
      let looksLikePath = first.contains("/") || first.contains(".")
      // A word that is neither is more likely a method misspelled than a file that is missing.
      if !looksLikePath { _ = try MergeMethod.named(first, among: DataMethod.declarations) }
    }
    return (.linear, words)
  }

  /// The merge that the options amount to where its method looks at data; nil for others.
  ///
  /// - Throws: `ValidationError` and `MergeError` saying what is wrong with them.
  func dataMerge(_ words: [String], _ options: DataMergeOptions) throws -> CheckpointDataMerge? {
    let (declaration, models) = try parts(words)
    guard let method = DataMethod.named(declaration.name) else { return nil }
    guard alpha == nil, !extrapolate else {
      throw ValidationError("\(alpha == nil ? "--extrapolate" : "--alpha") is only for linear")
    }
    guard missingTensors == nil else {
      throw ValidationError("--missing-tensors is only for methods that look at weights alone")
    }
    let texts = try texts()
    // Keys of the configuration have a dot: model.width.
    let settings = texts.filter { $0.key.contains(".") }.sorted { $0.key < $1.key }
    return CheckpointDataMerge(
      method, models: models, base: base, parameters: texts.filter { !$0.key.contains(".") },
      from: options.source(settings.map { Setting(key: $0.key, value: $0.value) }), datasets: options.datasets,
      split: options.split, reestimateBatchNorm: options.batchNorm.policy, seed: seed)
  }

  /// The recipe that the options amount to.
  ///
  /// - Throws: `ValidationError` and `MergeError` saying what is wrong with them.
  func recipe(_ words: [String]) throws -> Recipe {
    let (method, models) = try parts(words)
    let settings: MergeSettings
    if let coefficients = try coefficients(words) {
      settings = try MergeSettings(["weight": coefficients, "normalize": [0]], for: method, models: models.count)
    } else {
      guard alpha == nil, !extrapolate else {
        throw ValidationError(
          "\(alpha == nil ? "--extrapolate" : "--alpha") is only for linear without --set; use --weights or --set")
      }
      guard method.base != .required || base != nil else {
        throw ValidationError(
          "\(method.name) needs the base: name the weights that the models were fine-tuned from with --base")
      }
      try method.requireInputs(models: models.count, hasBase: base != nil)
      settings = try MergeSettings(texts: try texts(), for: method, models: models.count)
    }
    var shared: Recipe.Parameters = [:]
    var own = [Recipe.Parameters](repeating: [:], count: models.count)
    for parameter in method.parameters {
      guard let values = settings.all[parameter.name] else { continue }
      if parameter.perModel {
        for index in models.indices { own[index][parameter.name] = .number(values[index]) }
      } else {
        shared[parameter.name] = .number(values[0])
      }
    }
    // A file's name may have a plus.
    func model(_ word: String) -> Recipe.Model {
      FileManager.default.fileExists(atPath: word) ? Recipe.Model(word) : Recipe.Model(spelled: word)
    }
    let sources = zip(models, own).map { Recipe.Source(model($0), parameters: $1) }
    var recipe = Recipe(method, sources, base: base.map(model), parameters: shared)
    recipe.missingTensors = missingTensors ?? .error
    recipe.text = recipe.yaml
    return recipe
  }

  private func texts() throws -> [String: String] {
    var texts: [String: String] = [:]
    for assignment in assignments {
      let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2 else { throw ValidationError("--set \(assignment): expected KEY=VALUE") }
      guard texts.updateValue(parts[1], forKey: parts[0]) == nil else {
        throw ValidationError("--set gives \(parts[0]) twice")
      }
    }
    for (option, key, text) in [("--weights", "weight", weights), ("--density", "density", density)] {
      guard let text else { continue }
      guard texts.updateValue(text, forKey: key) == nil else {
        throw ValidationError("\(option) and --set both give \(key)")
      }
    }
    return texts
  }

  /// Plain linear merges keep to coefficients that sum to 1; nil for every other merge, which is a method with its
  /// settings.
  func coefficients(_ words: [String]) throws -> [Double]? {
    let (method, models) = try parts(words)
    let isStraight = method.traits.contains(.mergesStatistics) && method.alpha != nil
    guard isStraight, assignments.isEmpty, density == nil, base == nil else { return nil }
    guard models.count >= 2 else {
      throw ValidationError("merging takes two or more models; there is \(models.isEmpty ? "none" : "one")")
    }
    var coefficients = [Double](repeating: 1 / Double(models.count), count: models.count)
    if let alpha {
      guard models.count == 2, weights == nil else {
        throw ValidationError("--alpha is for two models; give \(models.count) coefficients with --weights instead")
      }
      coefficients = [1 - alpha, alpha]
    } else if let weights {
      let numbers = weights.split(separator: ",", omittingEmptySubsequences: false).map {
        Double($0.trimmingCharacters(in: .whitespaces))
      }
      coefficients = numbers.compactMap { $0 }
      guard coefficients.count == numbers.count else {
        throw ValidationError("--weights \(weights): expected numbers separated by commas, such as 0.2,0.3,0.5")
      }
      guard coefficients.count == models.count else {
        throw ValidationError("--weights has \(coefficients.count) coefficients for \(models.count) models")
      }
    }
    guard coefficients.allSatisfy(\.isFinite) else { throw ValidationError("the coefficients must be finite numbers") }
    let sum = coefficients.reduce(0, +)
    guard extrapolate || (coefficients.allSatisfy { (0...1).contains($0) } && abs(sum - 1) < 1e-6) else {
      let wrong = coefficients.allSatisfy { (0...1).contains($0) } ? "sum to \(sum), not 1" : "are not all within 0 … 1"
      throw ValidationError(
        "the coefficients \(coefficients.map { "\($0)" }.joined(separator: ", ")) \(wrong); "
          + "add --extrapolate if that is intended"
      )
    }
    return coefficients
  }
}
