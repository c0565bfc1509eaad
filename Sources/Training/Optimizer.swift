/// How gradients become updates.
///
/// Coded as the settings of the optimizer it is, with `name` unless that is `sgd`.
public enum Optimizer: Hashable, Sendable {
  case sgd(SGD = SGD())
  case adamW(AdamW = AdamW())

  public enum Name: String, Codable, CaseIterable, Sendable { case sgd, adamw }

  public var name: Name {
    switch self {
    case .sgd: .sgd
    case .adamW: .adamw
    }
  }

  /// η, the peak; the schedule scales it
  public var learningRate: Double {
    get {
      switch self {
      case .sgd(let sgd): sgd.learningRate
      case .adamW(let adamW): adamW.learningRate
      }
    }
    set {
      switch self {
      case .sgd(var sgd):
        sgd.learningRate = newValue
        self = .sgd(sgd)
      case .adamW(var adamW):
        adamW.learningRate = newValue
        self = .adamW(adamW)
      }
    }
  }

  /// λ
  public var weightDecay: Double {
    switch self {
    case .sgd(let sgd): sgd.weightDecay
    case .adamW(let adamW): adamW.weightDecay
    }
  }

  /// μ of SGD, by which the velocity exceeds the gradient; 0 for AdamW, whose average of gradients is no larger than they are.
  public var momentum: Double {
    switch self {
    case .sgd(let sgd): sgd.momentum
    case .adamW: 0
    }
  }

  /// The largest norm of the gradient over all trained parameters: a larger gradient is scaled down to it. nil: any.
  public var clip: Double? {
    switch self {
    case .sgd(let sgd): sgd.clip
    case .adamW(let adamW): adamW.clip
    }
  }
}

extension Optimizer: Codable {
  private enum Key: String, CodingKey { case name }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    switch try container.decodeIfPresent(Name.self, forKey: .name) ?? .sgd {
    case .sgd: self = .sgd(try SGD(from: decoder))
    case .adamw: self = .adamW(try AdamW(from: decoder))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    switch self {
    // Without a name, as before there was another: the configurations of old runs keep their bytes.
    case .sgd(let sgd): try sgd.encode(to: encoder)
    case .adamW(let adamW):
      try adamW.encode(to: encoder)
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(Name.adamw, forKey: .name)
    }
  }
}
