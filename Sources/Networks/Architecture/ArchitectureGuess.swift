import Torch
import Weights

extension Architecture {
  /// The network that weights of these names and shapes are for.
  ///
  /// - Returns: nil where no network of Valley's has such names. The guess is checked by loading the weights.
  public static func guess(from weights: Weights) -> Guess? {
    var shapes: [String: [Int]] = [:]
    for (name, tensor) in weights { shapes[name] = tensor.shape }
    for prefix in ["module.", "_orig_mod.", "model.", "transformer."]
    where !shapes.isEmpty && shapes.keys.allSatisfy({ $0.hasPrefix(prefix) || $0 == "lm_head.weight" }) {
      shapes = Dictionary(
        shapes.map { ($0.key.hasPrefix(prefix) ? String($0.key.dropFirst(prefix.count)) : $0.key, $0.value) },
        uniquingKeysWith: { first, _ in first })
    }
    let found = TensorShapes(shapes)
    return Name.allCases.lazy.compactMap { $0.declaration.guess(found) }.first
  }
}
