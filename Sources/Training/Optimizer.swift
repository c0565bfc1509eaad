/// How gradients become updates: one of the optimizers with its settings.
///
/// Coded as those settings, with the key `name` unless it is `sgd`.
public enum Optimizer: Hashable, Sendable {
  /// Stochastic gradient descent with momentum.
  case sgd(SGD = SGD())
  /// Adam with decoupled weight decay.
  case adamW(AdamW = AdamW())

  /// The optimizers as studies and the command line name them.
  public enum Name: String, Codable, CaseIterable, Sendable { case sgd, adamw }

  /// Which optimizer it is.
  public var name: Name {
    switch self {
    case .sgd: .sgd
    case .adamW: .adamw
    }
  }

  /// η, the peak, which the schedule scales
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

  /// λ, coupled or decoupled
  public var weightDecay: Double {
    switch self {
    case .sgd(let sgd): sgd.weightDecay
    case .adamW(let adamW): adamW.weightDecay
    }
  }

  /// μ of SGD, whose velocity grows to 1 / (1 − μ) gradients; 0 for AdamW, which averages gradients.
  public var momentum: Double {
    switch self {
    case .sgd(let sgd): sgd.momentum
    case .adamW: 0
    }
  }

  /// The largest norm that the gradient over all trained parameters may have; a larger one is scaled down. nil: any
  public var clip: Double? {
    switch self {
    case .sgd(let sgd): sgd.clip
    case .adamW(let adamW): adamW.clip
    }
  }
}

extension Optimizer: Codable {
  private enum Key: String, CodingKey { case name }

  /// Reads the settings of the optimizer that `name` says, or of SGD without one.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    switch try container.decodeIfPresent(Name.self, forKey: .name) ?? .sgd {
    case .sgd: self = .sgd(try SGD(from: decoder))
    case .adamw: self = .adamW(try AdamW(from: decoder))
    }
  }

  /// Writes the optimizer's settings, and its `name` unless it is `sgd`.
  public func encode(to encoder: any Encoder) throws {
    switch self {
    // Without a name, as when it was the only one: the configurations of old runs keep their bytes.
    case .sgd(let sgd): try sgd.encode(to: encoder)
    case .adamW(let adamW):
      try adamW.encode(to: encoder)
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(Name.adamw, forKey: .name)
    }
  }
}
