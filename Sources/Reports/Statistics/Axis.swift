import Foundation
import Studies

/// A quantity that a study sweeps, or a noise proxy that follows from such quantities.
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

  private static let names: [Quantity: (short: String, title: String)] = [
    .learningRate: ("lr", "learning rate"), .batchSize: ("B", "batch size"), .momentum: ("μ", "momentum"),
    .weightDecay: ("wd", "weight decay"), .augmentation: ("aug", "augmentation"),
    .noise: ("S̃", "effective noise scale S̃"), .adamNoise: ("S̃_Adam", "effective noise scale S̃_Adam"),
  ]

  private static let words = [
    "schedule.stable": "stable phase", "schedule.decay": "decay", "schedule.length": "length of training",
  ]

  /// For file names and legends of many configurations.
  var shortName: String { Self.names[quantity]?.short ?? key.split(separator: ".").last.map(String.init) ?? key }

  var title: String { Self.names[quantity]?.title ?? Self.words[key] ?? key }

  /// The name in files: letters, digits and hyphens only.
  var slug: String {
    fileName(quantity == .other ? key : title.replacingOccurrences(of: " scale S̃", with: ""), otherwise: "axis")
  }

  /// The value as text, as the study writes it.
  func text(_ configuration: Configuration) -> String {
    let setting = configuration.settings.first { $0.key == key }?.value ?? "default"
    switch quantity {
    case .batchSize: return String(configuration.batchSize)
    case .augmentation: return Self.augmentation(setting)
    case .other: return setting
    case .learningRate, .momentum, .weightDecay, .noise, .adamNoise:
      return number(configuration).map { short($0) } ?? "none"
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

  /// `{flip: true, crop: 4}` becomes `flip + crop 4`, and no augmentation `off`.
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

extension [Axis] {
  /// "learning rate, batch size".
  var title: String { map(\.title).joined(separator: ", ") }
}

extension Configuration {
  /// "lr 0.1, B 128", or the swept values in the order of the study's axes.
  public var label: String {
    guard !settings.isEmpty else { return "as set" }
    return settings.map { setting in
      let axis = Axis(key: setting.key)
      return "\(axis.shortName) \(axis.quantity == .augmentation ? axis.text(self) : setting.value)"
    }.joined(separator: ", ")
  }
}
