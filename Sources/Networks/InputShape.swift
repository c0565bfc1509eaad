/// What one example of a network's input is.
public enum InputShape: Hashable, Sendable, Codable, CustomStringConvertible {
  /// [channels, height, width], float32
  case picture(channels: Int = 3, height: Int, width: Int)
  /// [tokens], int64 below `vocabulary`; at most `context` tokens
  case tokens(vocabulary: Int, context: Int)

  /// `3×32×32 pixels`, `256 of 50257 tokens`
  public var description: String {
    switch self {
    case .picture(let channels, let height, let width): "\(channels)×\(height)×\(width) pixels"
    case .tokens(let vocabulary, let context): "\(context) of \(vocabulary) tokens"
    }
  }
}
