import Networks

/// What becomes of BatchNorm's running statistics at a point: combined like weights, they are not those of the
/// activations there.
public enum BatchNormPolicy: Hashable, Sendable {
  /// They are combined like weights.
  case off
  /// They are measured anew at every point, always on the same training batches that hold about so many examples.
  case subset(Int)
  /// They are measured anew at every point on one epoch of training batches.
  case full

  /// `off`, `full` or a number of examples.
  public init?(_ text: String) {
    switch text {
    case "off": self = .off
    case "full": self = .full
    default:
      guard let examples = Int(text), examples > 0 else { return nil }
      self = .subset(examples)
    }
  }

  /// What `init` reads.
  public var text: String {
    switch self {
    case .off: "off"
    case .full: "full"
    case .subset(let examples): "\(examples)"
    }
  }

  /// For captions.
  public var words: String {
    switch self {
    case .off: "BatchNorm statistics combined like weights"
    case .subset(let examples): "BatchNorm re-estimated at every point on the same \(examples) training examples"
    case .full: "BatchNorm re-estimated at every point on one epoch of training batches"
    }
  }
}
