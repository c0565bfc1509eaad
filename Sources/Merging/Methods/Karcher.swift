import Foundation

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
      let (steps, tolerance) = try (Int(settings.number("max_iter")), settings.number("tol"))
      return try Combination.pass(inputs, .models) { products in
        guard products.count > 1 else { return [1] }
        // A tensor of zeros has no direction, but counts in the mean norm.
        let directed = (0..<products.count).filter { products.norm($0) > tolerance }
        let units = directed.map { products.unit($0, 1 / products.norm($0)) }
        guard let first = units.first else { return [Double](repeating: 0, count: products.count) }
        let part = 1 / Double(units.count)
        var mean = units.reduce(products.unit(0, 0)) { adding($0, $1, scale: part) }
        let length = products.norm(mean)
        mean = length < tolerance ? first : mean.map { $0 / length }
        for _ in 0..<steps {
          var tangent = products.unit(0, 0)
          for unit in units {
            let cosine = min(1, max(-1, products.dot(unit, mean)))
            let angle = acos(cosine)
            // Opposite directions have no shortest way between them.
            guard angle >= tolerance, sin(angle) > 1e-12 else { continue }
            let scale = part * angle / sin(angle)
            tangent = adding(adding(tangent, unit, scale: scale), mean, scale: -scale * cosine)
          }
          let step = products.norm(tangent)
          guard step >= tolerance, step > 0 else { break }
          mean = adding(mean.map { $0 * cos(step) }, tangent, scale: sin(step) / step)
          let length = products.norm(mean)
          mean = mean.map { $0 / length }
        }
        let norms = (0..<products.count).map { products.norm($0) }
        return mean.map { $0 * norms.reduce(0, +) / Double(norms.count) }
      }
    })
}
