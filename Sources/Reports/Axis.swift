import Foundation
import Studies

/// A quantity that a study sweeps, or the noise proxy that follows from those.
struct Axis: Hashable, Sendable {
  enum Quantity: Hashable, Sendable { case learningRate, batchSize, momentum, weightDecay, noise, other }

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
    default: quantity = .other
    }
  }

  private init(_ key: String, _ quantity: Quantity) {
    self.key = key
    self.quantity = quantity
  }

  static let noise = Axis("noise", .noise)
  static let learningRate = Axis("optimizer.lr", .learningRate)
  static let batchSize = Axis("batch_size", .batchSize)

  /// For file names and legends of many configurations.
  var shortName: String {
    switch quantity {
    case .learningRate: "lr"
    case .batchSize: "B"
    case .momentum: "μ"
    case .weightDecay: "wd"
    case .noise: "S̃"
    case .other: key
    }
  }

  var title: String {
    switch quantity {
    case .learningRate: "learning rate"
    case .batchSize: "batch size"
    case .momentum: "momentum"
    case .weightDecay: "weight decay"
    case .noise: "effective noise scale S̃"
    case .other: key
    }
  }

  /// The name in files: letters, digits and hyphens only.
  var slug: String {
    let plain = quantity == .other ? key : title.replacingOccurrences(of: " scale S̃", with: "")
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
    case .noise: short(configuration.noiseProxy)
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
      case .noise: configuration.noiseProxy
      case .other: Double(text(configuration))
      }
    return value.flatMap { $0.isFinite ? $0 : nil }
  }
}

/// A number in as few digits as say it: `0.0003` as `0.0003`, 1/3 as `0.3333`, 1e-7 as `1e-07`.
func short(_ value: Double, digits: Int = 4) -> String { String(format: "%.\(digits)g", value) }

/// With an explicit sign and a true minus: `+0.42`, `−0.10`, `0.00`.
func signed(_ value: Double, digits: Int) -> String {
  let text = String(format: "%.\(digits)f", abs(value))
  let isZero = !text.contains { $0 != "0" && $0 != "." }
  return (isZero ? "" : value < 0 ? "−" : "+") + text
}
