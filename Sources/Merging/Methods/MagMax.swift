import Torch

extension MergeMethod {
  /// Who moved an element farthest decides it.
  static let magMax = MergeMethod(
    "magmax", "W₀ + λ · the task vector that is largest by magnitude, element by element (of equals the last)",
    source: "https://arxiv.org/abs/2407.06322", base: .required, models: 1..., parameters: [TaskVectors.lambda],
    traits: .elementwise
  ) { models, base, settings in
    let (base, deltas) = try TaskVectors.of(models, base)
    let largest = try deltas.dropFirst().reduce(deltas[0]) { best, delta in
      try delta.selected(where: delta.abs().greaterOrEqual(best.abs()), otherwise: best)
    }
    return try base + largest * settings.number("lambda")
  }
}
