import Foundation
import Studies

/// A quantity that a study sweeps, or the noise proxy that follows from those.
struct Axis: Hashable, Sendable {
  enum Quantity: Hashable, Sendable {
    case learningRate, batchSize, momentum, weightDecay, augmentation, noise, adamNoise, other
  }

  let key: String
  let quantity: Quantity

  init(key: String) {
    self.key = key
    switch key {
    case "lr", "learning_rate", "learningRate", "optimizer.lr", "optimizer.learning_rate", "optimizer.learningRate":
      quantity = .learningRate
    case "batch_size", "batchSize": quantity = .batchSize
    case "optimizer.momentum", "momentum": quantity = .momentum
    case "optimizer.weight_decay", "optimizer.weightDecay", "weight_decay", "weightDecay": quantity = .weightDecay
    case "augmentation": quantity = .augmentation
    default: quantity = .other
    }
  }

  private init(_ key: String, _ quantity: Quantity) {
    self.key = key
    self.quantity = quantity
  }

  static let noise = Axis("noise", .noise)
  static let adamNoise = Axis("adamNoise", .adamNoise)
  static let learningRate = Axis("optimizer.lr", .learningRate)
  static let batchSize = Axis("batch_size", .batchSize)

  /// For file names and legends of many configurations.
  var shortName: String {
    switch quantity {
    case .learningRate: "lr"
    case .batchSize: "B"
    case .momentum: "μ"
    case .weightDecay: "wd"
    case .augmentation: "aug"
    case .noise: "S̃"
    case .adamNoise: "S̃_Adam"
    case .other: key.split(separator: ".").last.map(String.init) ?? key
    }
  }

  var title: String {
    switch quantity {
    case .learningRate: "learning rate"
    case .batchSize: "batch size"
    case .momentum: "momentum"
    case .weightDecay: "weight decay"
    case .augmentation: "augmentation"
    case .noise: "effective noise scale S̃"
    case .adamNoise: "effective noise scale S̃_Adam"
    case .other: Self.words[key] ?? key
    }
  }

  private static let words = [
    "schedule.stable": "stable phase", "schedule.decay": "decay", "schedule.length": "length of training",
  ]

  /// The name in files: letters, digits and hyphens only.
  var slug: String {
    let plain =
      quantity == .other
      ? key : title.replacingOccurrences(of: " scale S̃", with: "").replacingOccurrences(of: "_", with: " ")
    let words = plain.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
    return words.isEmpty ? "axis" : words.joined(separator: "-")
  }

  /// The value as text, as the study writes it.
  func text(_ configuration: Configuration) -> String {
    switch quantity {
    case .learningRate: short(configuration.learningRate)
    case .batchSize: String(configuration.batchSize)
    case .momentum: short(configuration.momentum)
    case .weightDecay: short(configuration.weightDecay)
    case .augmentation: Self.augmentation(configuration.settings.first { $0.key == key }?.value ?? "default")
    case .noise: short(configuration.noiseProxy)
    case .adamNoise: configuration.adamProxy.map { short($0) } ?? "none"
    case .other: configuration.settings.first { $0.key == key }?.value ?? "default"
    }
  }

  /// The value as a number; nil for words such as `none`.
  func number(_ configuration: Configuration) -> Double? {
    let value: Double? =
      switch quantity {
      case .learningRate: configuration.learningRate
      case .batchSize: Double(configuration.batchSize)
      case .momentum: configuration.momentum
      case .weightDecay: configuration.weightDecay
      case .augmentation: nil
      case .noise: configuration.noiseProxy
      case .adamNoise: configuration.adamProxy
      case .other: Double(text(configuration))
      }
    return value.flatMap { $0.isFinite ? $0 : nil }
  }
}

extension Axis {
  /// Whether this is a noise proxy, which follows from what is swept.
  var isNoise: Bool { self == .noise || self == .adamNoise }

  /// The title with what the proxy stands for.
  func title(exponent: Int) -> String {
    switch quantity {
    case .noise: "\(title)  (p = \(exponent))"
    case .adamNoise: "\(title) = η/√B"
    default: title
    }
  }

  /// `{flip: true, crop: 4}` as `flip + crop 4`, none of it as `off`.
  private static func augmentation(_ value: String) -> String {
    let parts = value.split { "{}, ".contains($0) }.map(String.init)
    var words: [String] = []
    for (key, value) in zip(parts, parts.dropFirst()) where key.hasSuffix(":") {
      let name = String(key.dropLast())
      if value == "true" {
        words.append(name)
      } else if !["false", "0", "null"].contains(value) {
        words.append("\(name) \(value)")
      }
    }
    if !words.isEmpty { return words.joined(separator: " + ") }
    return parts.count > 1 || ["none", "null", "off"].contains(value) ? "off" : value
  }
}

/// A number in as few digits as say it: `0.003`, 1/3 as `0.3333`, small ones with a power of ten where that is clearly shorter,
/// `3e-4`.
func short(_ value: Double, digits: Int = 4) -> String {
  func trimmed(_ text: String) -> String {
    // C writes exponents with two digits.
    text.replacingOccurrences(of: "e-0", with: "e-").replacingOccurrences(of: "e+0", with: "e+")
  }
  let decimal = trimmed(String(format: "%.\(digits)g", value))
  guard value != 0, abs(value) < 1e-3 else { return decimal }
  let parts = String(format: "%.\(digits - 1)e", value).split(separator: "e").map(String.init)
  guard parts.count == 2, let mantissa = Double(parts[0]) else { return decimal }
  let scientific = trimmed(String(format: "%.\(digits)g", mantissa) + "e" + parts[1])
  return scientific.count < decimal.count - 1 ? scientific : decimal
}

/// With an explicit sign and a true minus: `+0.42`, `−0.10`, `0.00`.
func signed(_ value: Double, digits: Int) -> String {
  let text = String(format: "%.\(digits)f", abs(value))
  let isZero = !text.contains { $0 != "0" && $0 != "." }
  return (isZero ? "" : value < 0 ? "−" : "+") + text
}
