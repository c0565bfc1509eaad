import Foundation
import Support
import Training

extension RunConfiguration {
  /// JSON with sorted keys, no spaces, absent values left out and numbers in their shortest form: the same bytes for
  /// equal configurations, whoever writes them.
  public var canonicalJSON: Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    // Every value is a plain number, text, list or record, so encoding cannot fail.
    return (try? encoder.encode(self)) ?? Data()
  }

  /// The first 12 hexadecimal digits of the SHA-256 of `canonicalJSON`: the name of the run's folder.
  public var id: String {
    Digest.sha256(canonicalJSON).prefix(6).hexadecimal
  }

  /// The proxy for the effective noise scale, S̃ = η / (B (1−μ)^p), p = `measure.momentumExponent`; μ = 0 with AdamW.
  public var noiseProxy: Double {
    let damping = 1 - optimizer.momentum
    let power = (0..<max(0, measure.momentumExponent)).reduce(1.0) { product, _ in product * damping }
    return optimizer.learningRate / (Double(batchSize) * power)
  }

  /// AdamW's counterpart, S̃_Adam = η / √B; nil with SGD.
  public var adamProxy: Double? {
    guard case .adamW(let adamW) = optimizer else { return nil }
    return NoiseScale.adamProxy(learningRate: adamW.learningRate, batchSize: batchSize)
  }

  /// Which parameters are trained.
  public var trained: TrainedParameters { TrainedParameters(only: only ?? [], freeze: freeze ?? []) }

  /// What `canonicalJSON` leaves out because it did not exist when the first runs were made.
  private static let omitted = ["optimizer.name": "sgd", "loss.label_smoothing": "0"]

  /// The value at a dotted key as `study.yaml` would write it, such as `optimizer.learning_rate`; nil for no such key.
  public func value(at keyPath: String) -> String? {
    guard let root = try? JSONSerialization.jsonObject(with: canonicalJSON) else { return nil }
    var value: Any = root
    for key in StudyKeys.path(keyPath) {
      guard let fields = value as? [String: Any],
        let match = fields.first(where: { StudyKeys.spelling.normalised($0.key) == key })
      else {
        let omitted = Self.omitted[StudyKeys.path(keyPath).joined(separator: ".")] ?? "null"
        return value is [String: Any] ? omitted : nil
      }
      value = match.value
    }
    return Self.text(value)
  }

  private static func text(_ value: Any) -> String {
    switch value {
    case let list as [Any]: return "[" + list.map(text).joined(separator: ", ") + "]"
    case let fields as [String: Any]:
      let pairs = fields.sorted { $0.key < $1.key }.map {
        "\(StudyKeys.spelling.normalised($0.key)): \(text($0.value))"
      }
      return "{" + pairs.joined(separator: ", ") + "}"
    case let number as NSNumber:
      // A Boolean is an NSNumber too, told apart by its type code.
      if String(cString: number.objCType) == "c" || String(cString: number.objCType) == "B" {
        return number.boolValue ? "true" : "false"
      }
      return Int(exactly: number.doubleValue).map(String.init) ?? "\(number.doubleValue)"
    default: return "\(value)"
    }
  }
}
