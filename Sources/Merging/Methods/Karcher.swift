import Foundation
import Torch

extension MergeMethod {
  /// The mean on the sphere, with the mean of the lengths.
  static let karcher = MergeMethod(
    "karcher", "the point of the sphere nearest to all models (Karcher mean of their directions), at their mean norm",
    source: "https://arxiv.org/abs/2603.04972", base: .none, models: 1...,
    parameters: [
      .integer("max_iter", from: 0, default: 10, "how many steps at most"),
      .number("tol", from: 0, default: 1e-5, "stop when a step is shorter"),
    ],
    arithmetic: { inputs, settings in
      guard inputs.models.count > 1 else { return inputs.models[0] }
      let (steps, tolerance) = try (Int(settings.number("max_iter")), settings.number("tol"))
      let norms = try inputs.models.map { try $0.norm(dtype: .float64).item() }
      // A tensor of zeros has no direction, but counts in the mean norm.
      let units = try zip(inputs.models, norms).filter { $0.1 > tolerance }.map { try $0 / $1 }
      guard let first = units.first else { return try inputs.models[0].zerosLike() }
      let part = 1 / Double(units.count)
      var mean = try units.dropFirst().reduce(first) { try $0 + $1 } * part
      let length = try mean.norm(dtype: .float64).item()
      mean = length < tolerance ? first : try mean / length
      for _ in 0..<steps {
        let tangent = try mean.zerosLike()
        for unit in units {
          let cosine = min(1, max(-1, try (unit * mean).sum(dtype: .float64).item()))
          let angle = acos(cosine)
          // Opposite directions have no shortest way between them.
          guard angle >= tolerance, sin(angle) > 1e-12 else { continue }
          let scale = part * angle / sin(angle)
          try tangent.addInPlace(unit, scale: scale).addInPlace(mean, scale: -scale * cosine)
        }
        let step = try tangent.norm(dtype: .float64).item()
        guard step >= tolerance, step > 0 else { break }
        mean = try (mean * cos(step)).addInPlace(tangent, scale: sin(step) / step)
        mean = try mean / mean.norm(dtype: .float64).item()
      }
      return try mean * (norms.reduce(0, +) / Double(norms.count))
    })
}
