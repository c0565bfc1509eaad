import Schema
import Training

extension Kind where Value == TrainingLength {
  /// How long something is trained.
  static var length: Kind { length() }

  /// - Parameter isPositive: whether 0 is too short
  static func length(isPositive: Bool = false) -> Kind {
    let expected = "a length \(isPositive ? "above 0" : "of 0 or more"), such as 5 epochs or 200 steps"
    return Kind(
      expected, text: \.description,
      mismatch: { length in
        guard length.value.isFinite, length.value >= 0, !isPositive || length.value > 0 else {
          return "\(length); expected \(expected)"
        }
        return length.value < 10_000_000
          ? nil : "\(length), which no run would finish; expected less than 10 million"
      }
    ) { node, reader, keyPath in
      guard case .scalar(let text, _) = node.content, let length = TrainingLength(text) else {
        return reader.refuse(node, keyPath, expected: "a length such as `5 epochs`, `200 steps` or 5 (epochs)")
      }
      return length
    }
  }
}
