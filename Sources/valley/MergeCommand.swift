import ArgumentParser
import Checkpoints
import Crypto
import Foundation
import Merging
import Torch

/// `valley merge`: one set of weights from several.
struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Merge the weights of networks of one architecture.",
    discussion: """
      linear: the weighted mean Σ cᵢ θᵢ; of two models (1 − α) A + α B. BatchNorm's statistics are averaged too: `valley eval
      --reestimate-batchnorm` tells what measuring them anew would give. The result's metadata names method, coefficients and the
      SHA-256 of each input.

      The other methods take a network tensor by tensor; BatchNorm's statistics too, so measure them anew afterwards. Those on task
      vectors need --base, the weights that the models were fine-tuned from. `--list-methods` prints each with its parameters.

      EXAMPLES
        valley merge --method linear a.safetensors b.safetensors --alpha 0.5 -o merged.safetensors
        valley merge a.safetensors b.safetensors c.safetensors --weights 0.2,0.3,0.5 -o soup.safetensors
        valley merge a.safetensors b.safetensors --alpha 1.2 --extrapolate -o beyond.safetensors
        valley merge --method ties a.safetensors b.safetensors --base base.safetensors --density 0.5 -o ties.safetensors
        valley merge --method slerp a.safetensors b.safetensors --set t=0.3 -o slerp.safetensors
        valley merge --list-methods
      """)

  @Argument(help: "The safetensors files to merge.", completion: .file(extensions: ["safetensors"]))
  var models: [String] = []
  @Option(help: "How to merge; --list-methods prints what there is.", completion: .list(MergeMethod.all.map(\.name)))
  var method = "linear"
  @Option(help: "The weights that the models were fine-tuned from.", completion: .file(extensions: ["safetensors"]))
  var base: String?
  @Option(parsing: .unconditional, help: "linear of two models: the part of the second.  (default: 0.5)")
  var alpha: Double?
  @Option(
    parsing: .unconditional,
    help: "A weight for each model, with commas between them.  (default: linear: equal parts; otherwise: 1)")
  var weights: String?
  @Option(help: "The part of each task vector that is kept: one for all, or one a model with commas between.")
  var density: String?
  @Option(
    name: .customLong("set"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Another parameter of the method; may be repeated.", valueName: "key=value"))
  var assignments: [String] = []
  @Option(help: "Which random numbers to draw, for the methods that draw some.") var seed: UInt64 = 0
  @Flag(help: "linear: allow coefficients below 0, above 1, or whose sum is not 1.") var extrapolate = false
  @Flag(help: "Print every method with its parameters, and merge nothing.") var listMethods = false
  @Option(name: .shortAndLong, help: "The file to write.") var output: String?
  @Flag(help: "Replace the file if it exists.") var force = false
  @Flag(help: "Print what was done as JSON.") var json = false

  struct Input: Codable {
    var file, sha256: String
    var coefficient: Double?
  }

  struct Summary: Encodable {
    var output, method: String
    var tensors, parameters: Int
    var inputs: [Input]
    var base: Input?
    var settings: [String: [Double]]?
    var seed: UInt64?
  }

  /// Everything that can be told without reading a file.
  func validate() throws {
    if listMethods { return }
    guard output != nil else { throw ValidationError("-o names the file to write; it is missing") }
    do { _ = try plan() } catch let error as MergeError { throw ValidationError(error.description) }
  }

  /// Plain linear merges keep to coefficients that sum to 1; every other merge is a method with its settings.
  private enum Plan {
    case coefficients([Double])
    case method(MergeMethod, MergeSettings)
  }

  private func plan() throws -> Plan {
    let found = try MergeMethod.named(method)
    if found.name == "linear", assignments.isEmpty, density == nil, base == nil {
      return .coefficients(try coefficients())
    }
    guard alpha == nil, !extrapolate else {
      throw ValidationError(
        "\(alpha == nil ? "--extrapolate" : "--alpha") is for linear alone, without --set; use --weights or --set")
    }
    try found.requireInputs(models: models.count, hasBase: base != nil)
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
    return .method(found, try MergeSettings(texts: texts, for: found, models: models.count))
  }

  private func coefficients() throws -> [Double] {
    guard models.count >= 2 else { throw ValidationError("merging takes two or more models; there is \(models.count)") }
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
        throw ValidationError("--weights \(weights): expected numbers with commas between them, such as 0.2,0.3,0.5")
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
        "the coefficients \(coefficients.map { "\($0)" }.joined(separator: ", ")) \(wrong); add --extrapolate if that is meant"
      )
    }
    return coefficients
  }

  func run() throws {
    if listMethods { return try printMethods(json: json) }
    guard let output else { throw CommandError("-o names the file to write; it is missing") }
    let plan = try plan()
    guard force || !FileManager.default.fileExists(atPath: output) else {
      throw CommandError("\(output) exists; add --force to replace it")
    }
    let files = try models.map { try WeightsFile($0) }
    let baseFile = try base.map { try WeightsFile($0) }
    let all = files + (baseFile.map { [$0] } ?? [])
    for file in all.dropFirst() {
      let differences = files[0].weights.layoutDifferences(from: file.weights)
      guard differences.isEmpty else {
        throw CheckpointError(
          file.path, "does not have the tensors of \(files[0].path):\n  " + differences.joined(separator: "\n  "))
      }
    }
    let merged: Weights
    var summary = Summary(output: output, method: method, tensors: 0, parameters: 0, inputs: [])
    switch plan {
    case .coefficients(let coefficients):
      merged = try linearMerge(files.map(\.weights), coefficients: coefficients)
      summary.inputs = try zip(files, coefficients).map { try Self.input($0, coefficient: $1) }
    case .method(let method, let settings):
      merged = try merge(
        files.map(\.weights), base: baseFile?.weights, method: method, settings: settings, seed: seed)
      summary.inputs = try files.map { try Self.input($0) }
      summary.base = try baseFile.map { try Self.input($0) }
      summary.settings = settings.all
      summary.seed = method.isRandom ? seed : nil
    }
    try requireFinite(merged, all)
    (summary.tensors, summary.parameters) = (merged.count, merged.elementCount)
    try Safetensors.write(merged, metadata: try metadata(summary), to: output)
    if json { return try printJSON(summary) }
    print("\(output) = \(formula(plan)), \(merged.count) tensors, \(merged.elementCount) numbers")
  }

  private func formula(_ plan: Plan) -> String {
    switch plan {
    case .coefficients(let coefficients):
      return zip(coefficients, models).map { String(format: "%g", $0) + " · \($1)" }.joined(separator: " + ")
    case .method(let method, let settings):
      let values = method.parameters.compactMap { parameter in
        settings.all[parameter.name].map { values in
          "\(parameter.name)=" + values.map { String(format: "%g", $0) }.joined(separator: ",")
        }
      }
      return "\(method.name)(\((models + (base.map { ["base=\($0)"] } ?? []) + values).joined(separator: ", ")))"
    }
  }

  private static func input(_ file: WeightsFile, coefficient: Double? = nil) throws -> Input {
    Input(
      file: URL(fileURLWithPath: file.path).lastPathComponent, sha256: try digest(file.path), coefficient: coefficient)
  }

  private func requireFinite(_ merged: Weights, _ files: [WeightsFile]) throws {
    for (name, tensor) in zip(merged.names, merged.tensors) where try !Self.isFinite(tensor) {
      let sources = try files.filter { try $0.weights[name].map { try !Self.isFinite($0) } ?? false }.map(\.path)
      throw MergeError(
        "\(name) would have NaN or infinite elements"
          + (sources.isEmpty ? "; choose smaller coefficients" : ", as it has in \(sources.joined(separator: ", "))")
          + "; nothing was written")
    }
  }

  private static func isFinite(_ tensor: Tensor) throws -> Bool {
    try !tensor.dtype.isFloatingPoint || tensor.isFinite().all().intItem() == 1
  }

  private func metadata(_ summary: Summary) throws -> [String: String] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    func text(_ value: some Encodable) throws -> String { String(decoding: try encoder.encode(value), as: UTF8.self) }
    var metadata = ["format": "pt", "merge.method": method, "merge.inputs": try text(summary.inputs)]
    metadata["merge.base"] = try summary.base.map { try text($0) }
    metadata["merge.settings"] = try summary.settings.map { try text($0) }
    metadata["merge.seed"] = summary.seed.map { "\($0)" }
    return metadata
  }

  private static func digest(_ path: String) throws -> String {
    let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    return SHA256.hash(data: data).map { String(format: "%02x", $0) }.joined()
  }
}
