import Checkpoints
import Foundation
import Support
import Torch
import Weights

/// The folder of values PyTorch computed; its README names every key.
public let fixtureFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .appendingPathComponent("Fixtures")

/// What PyTorch computed, by key.
public struct Fixture: Sendable {
  /// Its file's name without the ending.
  public let name: String
  /// What the file holds.
  public let tensors: Weights
  /// The file's metadata: settings as JSON.
  public let metadata: [String: String]

  /// Reads `Fixtures/<name>.safetensors`.
  public init(_ name: String) throws {
    self.name = name
    let content = try Safetensors.read(fixtureFolder.appendingPathComponent("\(name).safetensors").path)
    (tensors, metadata) = (content.weights, content.metadata)
  }

  /// The tensor under `key`, which must be there.
  public subscript(key: String) -> Tensor {
    get throws {
      guard let tensor = tensors[key] else { throw FileError("fixture", "has no \(key)") }
      return tensor
    }
  }

  /// The tensors below `prefix`, a slash at its end, by the rest of their keys.
  public func part(_ prefix: String) -> Weights {
    Weights(
      tensors.filter { $0.0.hasPrefix(prefix) }
        .map { (String($0.0.dropFirst(prefix.count)), $0.1) })
  }

  /// The metadata under `key`, read as JSON: "[2, 2]".
  public func setting<Value: Decodable>(_ key: String, _ type: Value.Type = Value.self) throws -> Value {
    try JSONDecoder().decode(type, from: Data((metadata[key] ?? "").utf8))
  }
}

/// ‖a − b‖ / max(‖b‖, floor) in float64; infinite where the shapes differ.
public func relativeError(_ a: Tensor, _ b: Tensor, floor: Double = 1e-12) throws -> Double {
  guard a.shape == b.shape else { return .infinity }
  return try withoutGradients {
    let (a, b) = (try a.to(.float64), try b.to(.float64))
    return try (a - b).norm().item() / max(b.norm().item(), floor)
  }
}

/// The names whose tensors in `ours` miss those in `theirs` by more than `tolerance`, with the deviation; names that
/// one side lacks too. Tensors of a norm below `floor` are compared absolutely.
public func deviations(_ ours: Weights, _ theirs: Weights, tolerance: Double = 1e-5, floor: Double = 1e-12) throws
  -> [String]
{
  var found = Set(ours.names).symmetricDifference(theirs.names).sorted().map { "\($0) stands on one side only" }
  for (name, tensor) in ours {
    guard let expected = theirs[name] else { continue }
    let error = try relativeError(tensor, expected, floor: floor)
    if !(error <= tolerance) { found.append("\(name) deviates by \(error)") }
  }
  return found
}
