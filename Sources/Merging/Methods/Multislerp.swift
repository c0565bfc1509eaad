import Foundation

extension MergeMethod {
  /// Slerp's mean of any number of models.
  static let multislerp = MergeMethod(
    "multislerp", "the weighted mean of the models' (or task vectors') directions on the sphere, at their mean norm",
    source: "https://goddard.blog/posts/multislerp-wow-what-a-cool-idea", base: .optional, models: 1...,
    parameters: [
      TaskVectors.weight, .flag("normalize_weights", default: true, "divide the weights by their sum"),
      .number("eps", from: 0, default: 1e-8, "what is added to norms, so that none is 0"),
    ],
    check: { settings in
      guard try !settings.flag("normalize_weights") || abs(settings.numbers("weight").reduce(0, +)) >= 1e-8 else {
        throw MergeError("multislerp: the weights sum to 0, by which it cannot divide; set normalize_weights to false")
      }
    },
    arithmetic: { inputs, settings in
      let given = try settings.numbers("weight")
      let total = try settings.flag("normalize_weights") ? given.reduce(0, +) : 1
      let (weights, epsilon) = try (given.map { $0 / total }, settings.number("eps"))
      // One model is itself, whatever its weight.
      guard inputs.models.count > 1 else { return Combination.pass(inputs, .models, [1]) }
      return try Combination.pass(inputs, inputs.base == nil ? .models : .taskVectors) { products in
        let units = (0..<products.count).map { products.unit($0, 1 / max(products.norm($0) + epsilon, 1e-300)) }
        func sum(_ vectors: [[Double]]) -> [Double] {
          zip(vectors, weights).reduce(products.unit(0, 0)) { adding($0, $1.0, scale: $1.1) }
        }
        let middle = sum(units)
        let length = products.norm(middle)
        guard length > 0, length >= epsilon else {
          guard products.count > 2, (0..<products.count).contains(where: { products.norm($0) > 0 }) else {
            return weights
          }
          throw MergeError(
            "\(inputs.name): the weighted directions cancel, so multislerp has no mean direction; choose other weights")
        }
        let mean = middle.map { $0 / length }
        let tangent = sum(units.map { adding($0, mean, scale: -products.dot($0, mean)) })
        let angle = products.norm(tangent) + epsilon
        let direction = adding(mean.map { $0 * cos(angle) }, tangent, scale: angle > 0 ? sin(angle) / angle : 1)
        let norm = zip(weights, 0...).reduce(0) { $0 + $1.0 * products.norm($1.1) }
        return direction.map { $0 * norm }
      }
    })
}
