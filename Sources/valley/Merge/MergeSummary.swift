import DataMerging
import Foundation
import Merging
import Support

/// What a merge is and was, for people and as JSON.
struct MergeSummary: Encodable {
  struct Input: Encodable {
    var file: String
    var sha256: String?
    var coefficient: Double?
  }

  /// A value as people write it: 0.5, true, "model".
  enum Value: Encodable, Hashable {
    case number(Double)
    case flag(Bool)
    case word(String)

    init(_ value: Double, _ parameter: MergeParameter?) {
      switch parameter?.kind {
      case .flag: self = .flag(value == 1)
      case .choice: self = .word(parameter?.text(of: value) ?? "")
      case .number, .integer, nil: self = .number(value)
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .number(let value): try container.encode(value)
      case .flag(let value): try container.encode(value)
      case .word(let value): try container.encode(value)
      }
    }

    var text: String {
      switch self {
      case .number(let value): String(format: "%g", value)
      case .flag(let value): "\(value)"
      case .word(let value): value
      }
    }
  }

  var output: String?
  var method: String
  var tensors, parameters, bytes, memory, threads: Int
  var inputs: [Input]
  var base: Input?
  var settings: [String: [Value]]?
  var seed: UInt64?
  var seconds: Double?

  init(_ plan: MergePlan, output: String?, threads: Int, seed: UInt64) throws {
    let recipe = plan.recipe
    self.output = output
    method = recipe.method.name
    (tensors, parameters, bytes) = (plan.tensors.count, plan.elementCount, plan.byteCount)
    (memory, self.threads) = (plan.memory(threads: threads), threads)
    inputs = Self.models(plan).map { Input(file: Self.name($0)) }
    base = Self.base(plan).map { Input(file: Self.name($0)) }
    // Settings that all tensors share say more than those of one.
    let all = Set(plan.tensors.filter { $0.method.name == recipe.method.name }.map(\.settings))
    settings = all.count == 1 ? all.first.map { Self.values($0, of: method) } : nil
    self.seed = recipe.method.isRandom ? seed : nil
  }

  /// The models in the recipe's order, a model as often as it is listed; of a recipe of several parts every model once.
  private static func models(_ plan: MergePlan) -> [(model: Recipe.Model, path: String)] {
    let slices = plan.recipe.modules.flatMap(\.slices)
    let others = plan.inputs.filter { $0.model != base(plan)?.model }
    guard slices.count == 1, plan.recipe.merges.isEmpty else { return others }
    return slices[0].sources.compactMap { source in others.first { $0.model == source.model } }
  }

  private static func base(_ plan: MergePlan) -> (model: Recipe.Model, path: String)? {
    guard plan.recipe.method.base != .none, let base = plan.recipe.base else { return nil }
    return plan.inputs.first { $0.model == base }
  }

  /// The file's or folder's name, and its adapter's.
  private static func name(_ input: (model: Recipe.Model, path: String)) -> String {
    ([input.path] + [input.model.lora].compactMap { $0 }).map { URL(fileURLWithPath: $0).lastPathComponent }
      .joined(separator: "+")
  }

  /// Adds each input file's SHA-256 and, of a plain linear merge, its coefficient.
  mutating func addDigests(_ plan: MergePlan, _ coefficients: [Double]?) throws {
    let models = Self.models(plan)
    inputs = try models.enumerated().map {
      Input(
        file: Self.name($1), sha256: try digest($1.path),
        coefficient: coefficients?.count == models.count ? coefficients?[$0] : nil)
    }
    base = try Self.base(plan).map { Input(file: Self.name($0), sha256: try digest($0.path)) }
    if coefficients != nil { settings = nil }
  }

  private func digest(_ path: String) throws -> String? {
    var isDirectory: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
    return isDirectory.boolValue ? nil : try Digest.of(file: path).hexadecimal
  }

  /// What a result of one file says in its header.
  func metadata() throws -> [String: String] {
    var metadata = ["merge.method": method, "merge.inputs": try jsonText(inputs)]
    metadata["merge.base"] = try base.map { try jsonText($0) }
    metadata["merge.settings"] = try settings.map { try jsonText($0) }
    metadata["merge.seed"] = seed.map { "\($0)" }
    return metadata
  }

  static func values(_ settings: MergeSettings, of method: String) -> [String: [Value]] {
    let parameters = (try? MergeMethod.named(method, among: DataMethod.declarations))?.parameters ?? []
    return Dictionary(
      uniqueKeysWithValues: settings.all.map { key, values in
        let parameter = parameters.first { $0.name == key }
        return (key, values.map { Value($0, parameter) })
      })
  }

  /// `density=0.5,0.7`, `normalize=true`; short: equal values of all models once.
  static func text(_ settings: [String: [Value]], isShort: Bool) -> [String] {
    settings.sorted { $0.key < $1.key }.map { key, values in
      "\(key)="
        + (isShort && Set(values).count == 1 ? Array(values.prefix(1)) : values).map(\.text).joined(separator: ",")
    }
  }

  /// `ties(a, b, base=c, density=0.5): 201 tensors, 1100048384 numbers`
  var text: String {
    let values = Self.text(settings ?? [:], isShort: true)
    let names = inputs.map { ($0.coefficient.map { String(format: "%g", $0) + " · " } ?? "") + $0.file }
    let parts = names + (base.map { ["base=\($0.file)"] } ?? []) + values
    return "\(method)(\(parts.joined(separator: ", "))): \(tensors) tensors, \(parameters) numbers"
  }
}
