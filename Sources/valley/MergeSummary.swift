import DataMerging
import Foundation
import Merging

/// What a merge is and was, for people and as JSON.
struct MergeSummary: Encodable {
  struct Input: Encodable {
    var file: String
    var sha256: String?
    var coefficient: Double?
  }

  var output: String?
  var method: String
  var tensors, parameters, bytes, memory, threads: Int
  var inputs: [Input]
  var base: Input?
  var settings: [String: [Double]]?
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
    settings = all.count == 1 ? all.first?.all : nil
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
    return isDirectory.boolValue ? nil : try sha256(path)
  }

  /// What a result of one file says in its header.
  func metadata() throws -> [String: String] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    func text(_ value: some Encodable) throws -> String { String(decoding: try encoder.encode(value), as: UTF8.self) }
    var metadata = ["merge.method": method, "merge.inputs": try text(inputs)]
    metadata["merge.base"] = try base.map { try text($0) }
    metadata["merge.settings"] = try settings.map { try text($0) }
    metadata["merge.seed"] = seed.map { "\($0)" }
    return metadata
  }

  /// `density=0.5,0.7`, `normalize=true`; short: equal values of all models once.
  static func text(_ settings: [String: [Double]], of method: String, isShort: Bool) -> [String] {
    let parameters = (try? MergeMethod.named(method, among: DataMethod.declarations))?.parameters ?? []
    return settings.sorted { $0.key < $1.key }.map { key, values in
      let parameter = parameters.first { $0.name == key }
      let texts = values.map { value in
        parameter.map { $0.kind == .flag || $0.kind == .choice ? $0.text(of: value) : String(format: "%g", value) }
          ?? String(format: "%g", value)
      }
      return "\(key)=" + (isShort && Set(texts).count == 1 ? Array(texts.prefix(1)) : texts).joined(separator: ",")
    }
  }

  /// `ties(a, b, base=c, density=0.5): 201 tensors, 1100048384 numbers`
  var text: String {
    let values = Self.text(settings ?? [:], of: method, isShort: true)
    let names = inputs.map { ($0.coefficient.map { String(format: "%g", $0) + " · " } ?? "") + $0.file }
    let parts = names + (base.map { ["base=\($0.file)"] } ?? []) + values
    return "\(method)(\(parts.joined(separator: ", "))): \(tensors) tensors, \(parameters) numbers"
  }
}

/// What becomes of every tensor.
struct MergeListing {
  private struct Line: Encodable {
    let name, dtype, method: String
    let shape: [Int]
    let inputs: [String]
    let settings: [String: [Double]]
  }

  private let lines: [Line]

  init(_ plan: MergePlan) {
    lines = plan.tensors.map {
      Line(
        name: $0.name, dtype: "\($0.dtype)", method: $0.method.name, shape: $0.shape, inputs: $0.sources,
        settings: $0.settings.all)
    }
  }

  func print(json: Bool) throws {
    if json { return try printJSON(lines) }
    for line in lines {
      let settings = MergeSummary.text(line.settings, of: line.method, isShort: false)
      Swift.print("\(line.name) \(line.shape) \(line.dtype)")
      Swift.print("  \(line.method)(\((line.inputs + settings).joined(separator: ", ")))")
    }
  }
}
