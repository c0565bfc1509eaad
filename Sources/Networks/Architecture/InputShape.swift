import Torch

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

  static func square(_ size: Int, channels: Int = 3) -> InputShape {
    .picture(channels: channels, height: size, width: size)
  }

  /// Channels and pixels each way.
  ///
  /// - Throws: `TorchError` for tokens.
  func picture() throws -> (channels: Int, height: Int, width: Int) {
    guard case .picture(let channels, let height, let width) = self else {
      throw TorchError(operation: "input", message: "is \(self); expected pictures")
    }
    return (channels, height, width)
  }

  /// The longest sequence.
  ///
  /// - Throws: `TorchError` for pictures.
  func context() throws -> Int {
    guard case .tokens(_, let context) = self else {
      throw TorchError(operation: "input", message: "is \(self); expected tokens")
    }
    return context
  }
}
