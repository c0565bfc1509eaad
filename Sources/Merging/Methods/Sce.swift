import Torch

extension MergeMethod {
  /// Select what varies, calculate weights from energy, erase minority signs.
  static let sce = MergeMethod(
    "sce",
    "keep the elements that vary most between task vectors, weigh models by mean square, drop signs of the minority",
    source: "https://arxiv.org/abs/2408.07990", base: .required, models: 1...,
    parameters: [
      .number("select_topk", from: 0, to: 1, default: 1, "the part of the varying elements that is kept")
    ],
    arithmetic: { inputs, settings in
      let base = try inputs.requireBase()
      var deltas = try inputs.taskVectors()
      let topk = try settings.number("select_topk")
      if topk < 1 {
        let variance = try Tensor.stack(deltas).variance([0], correction: 0)
        let count = Int(Double(try variance.countNonzero().intItem()) * topk)
        let mask = try smallest(count, of: -variance.flatten()).reshape(base.shape).to(base.dtype)
        deltas = try deltas.map { try $0 * mask }
      }
      let energies = try deltas.map { try $0.square().mean(dtype: .float64).item() }
      let total = energies.reduce(0, +)
      let weights = energies.map { total < 1e-6 ? 1 / Double(energies.count) : $0 / total }
      let (sum, divisor) = try (base.zerosLike(), base.zerosLike())
      for (index, mask) in try TaskVectors.agreement(deltas).enumerated() {
        try sum.addInPlace(deltas[index] * mask, scale: weights[index])
        try divisor.addInPlace(mask, scale: weights[index])
      }
      return try base + sum / divisor.clamp(min: 1e-6)
    })
}
