/// How units are matched.
public enum AlignmentMethod: String, Codable, CaseIterable, Sendable {
  /// By their weights alone
  case weight
  /// By what they do on examples
  case activation
  /// By training, so that the midpoint does well
  case straightThrough = "straight-through"
}

/// What networks are aligned to.
public enum AlignmentReference: String, Codable, CaseIterable, Sendable {
  /// The first of them, which stays as it is
  case first
  /// The mean of all
  case mean
}
