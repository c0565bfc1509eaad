import MergeKernels
import Torch

/// What the methods on task vectors share: W₀ + λ · (a sum of sparse weighted task vectors).
enum TaskVectors {
  static let source = "https://arxiv.org/abs/2212.04089"
  static let weight = MergeParameter.number("weight", default: 1, perModel: true, "the model's factor")
  static let lambda = MergeParameter.number("lambda", default: 1, "the factor of the merged task vector")
  static let density = MergeParameter.number(
    "density", from: 0, to: 1, default: 1, perModel: true, "the part of the task vector's elements that is kept")
  static let gamma = MergeParameter.number(
    "gamma", from: 0, to: 1, default: 0.01, perModel: true,
    "the part of the elements, the largest, that is dropped first")
  static let epsilon = MergeParameter.number(
    "epsilon", from: 0, to: 0.5, default: 0.15, perModel: true,
    "an element is kept with probability density − epsilon (the smallest of a row) … density + epsilon (the largest)")
  static func normalize(_ value: Bool) -> MergeParameter {
    .flag("normalize", default: value, "divide by the sum of the weights (of the models that take part)")
  }
  static func rescale(_ value: Bool) -> MergeParameter {
    .flag("rescale", default: value, "scale what is kept of a task vector to the L1 norm of the whole")
  }

  /// The base and every δᵢ = Wᵢ − W₀.
  static func of(_ models: [Tensor], _ base: Tensor?) throws -> (base: Tensor, deltas: [Tensor]) {
    guard let base else { throw MergeError("the base is missing") }
    return (base, try models.map { try $0 - base })
  }

  /// How the sparse task vectors become one.
  enum Consensus {
    /// W₀ + λ Σ wᵢδᵢ, divided by Σ wᵢ if `normalize`.
    case sum
    /// As `sum`, but element by element only the terms wᵢδᵢ that have the sign of their sum (+ where that is 0);
    /// `normalize` divides by the weights of these.
    case elected
  }

  static func merge(
    _ inputs: MergeInputs, _ settings: MergeSettings, _ consensus: Consensus,
    by sparsification: (Int) throws -> Sparsification = { _ in .magnitude(density: 1) }
  ) throws -> MergePass {
    let (weights, lambda) = try (settings.numbers("weight"), settings.number("lambda"))
    let isNormalized = try settings.flag("normalize")
    let rescale = settings.all["rescale"] == [1]
    let sparsifications = try inputs.models.indices.map(sparsification)
    let group = sparsifications.map { $0.group(inputs) }.max() ?? 1
    var vectors = try Sparsification.prepare(sparsifications, inputs, group: group, rescale: rescale)
    switch consensus {
    case .sum:
      let total = weights.reduce(0, +)
      let factor = lambda / (isNormalized && abs(total) >= 1e-8 ? total : 1)
      return MergePass(group: group) { range, result in
        try inputs.copyBase(to: result, range)
        for index in vectors.indices {
          result.add(try vectors[index].vector(inputs, range), scale: weights[index] * factor)
        }
      }
    case .elected:
      return MergePass(group: group) { range, result in
        let terms = try vectors.indices.map { UnsafeRawPointer(try vectors[$0].vector(inputs, range).elements) }
        inputs.kernels.pointee.elect(
          result.elements, terms, weights, weights, Int32(terms.count), isNormalized ? 0 : -1, range.count)
        result.scale(by: lambda)
        try inputs.addBase(to: result, range)
      }
    }
  }
}
