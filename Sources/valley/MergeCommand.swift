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

      EXAMPLES
        valley merge --method linear a.safetensors b.safetensors --alpha 0.5 -o merged.safetensors
        valley merge a.safetensors b.safetensors c.safetensors --weights 0.2,0.3,0.5 -o soup.safetensors
        valley merge a.safetensors b.safetensors --alpha 1.2 --extrapolate -o beyond.safetensors
      """)

  enum Method: String, CaseIterable, ExpressibleByArgument { case linear }

  @Argument(help: "Two or more safetensors files.", completion: .file(extensions: ["safetensors"])) var models: [String]
  @Option(help: "How to merge: linear.") var method = Method.linear
  @Option(parsing: .unconditional, help: "Of two models: the part of the second.  (default: 0.5)") var alpha: Double?
  @Option(
    parsing: .unconditional, help: "A coefficient for each model, with commas between them.  (default: equal parts)")
  var weights: String?
  @Flag(help: "Allow coefficients below 0, above 1, or whose sum is not 1.") var extrapolate = false
  @Option(name: .shortAndLong, help: "The file to write.") var output: String
  @Flag(help: "Replace the file if it exists.") var force = false
  @Flag(help: "Print what was done as JSON.") var json = false

  struct Input: Codable {
    var file, sha256: String
    var coefficient: Double
  }

  struct Summary: Encodable {
    var output, method: String
    var tensors, parameters: Int
    var inputs: [Input]
  }

  func validate() throws { _ = try coefficients() }

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
    let coefficients = try coefficients()
    guard force || !FileManager.default.fileExists(atPath: output) else {
      throw CommandError("\(output) exists; add --force to replace it")
    }
    let files = try models.map { try WeightsFile($0) }
    for file in files.dropFirst() {
      let differences = files[0].weights.layoutDifferences(from: file.weights)
      guard differences.isEmpty else {
        throw CheckpointError(
          file.path, "does not have the tensors of \(files[0].path):\n  " + differences.joined(separator: "\n  "))
      }
    }
    let merged = try linearMerge(files.map(\.weights), coefficients: coefficients)
    try requireFinite(merged, files)
    let inputs = try zip(files, coefficients).map {
      Input(file: URL(fileURLWithPath: $0.path).lastPathComponent, sha256: try Self.digest($0.path), coefficient: $1)
    }
    try Safetensors.write(merged, metadata: try metadata(inputs), to: output)
    if json {
      return try printJSON(
        Summary(
          output: output, method: method.rawValue, tensors: merged.count, parameters: merged.elementCount,
          inputs: inputs))
    }
    let terms = zip(coefficients, models).map { String(format: "%g", $0) + " · \($1)" }
    print("\(output) = \(terms.joined(separator: " + ")), \(merged.count) tensors, \(merged.elementCount) numbers")
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

  private func metadata(_ inputs: [Input]) throws -> [String: String] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return [
      "format": "pt", "merge.method": method.rawValue,
      "merge.inputs": String(decoding: try encoder.encode(inputs), as: UTF8.self),
    ]
  }

  private static func digest(_ path: String) throws -> String {
    let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    return SHA256.hash(data: data).map { String(format: "%02x", $0) }.joined()
  }
}
