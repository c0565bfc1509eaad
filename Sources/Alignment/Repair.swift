import Datasets
import Networks
import Torch
import Weights

/// REPAIR (Jordan et al. 2023): the units of merged weights vary less than those of the networks they come from; each
/// is rescaled so that mean and deviation of its pre-activation are the mix of theirs.
///
/// It is for networks without BatchNorm. Where there is BatchNorm, measuring its statistics anew does the same
/// (`reestimateBatchNorm`).
public struct Repair: Sendable, Hashable {
  /// How the deviation of a merged unit is known.
  public enum Form: String, Sendable, CaseIterable {
    /// Statistics of each layer are measured behind the layers already repaired, in one pass as BatchNorm would, and
    /// folded in.
    case measured
    /// Worked out from deviations and correlations of the two networks' units, as if what each layer reads were already
    /// repaired.
    case closed
  }

  /// How the deviation of a merged unit is known.
  public var form: Form
  /// How many to measure on, the first of the source.
  public var examples: Int
  /// Examples at a time.
  public var batchSize: Int

  /// A repair by so many examples.
  public init(form: Form = .measured, examples: Int = 2000, batchSize: Int = 200) {
    (self.form, self.examples, self.batchSize) = (form, examples, batchSize)
  }

  /// The factor that brings a variance to a deviation. As in BatchNorm a little is added, here a fraction of what is
  /// wanted; units that never change, or are not meant to, stay.
  private static func scale(from variance: Tensor, to deviation: Tensor) throws -> Tensor {
    let isStill = try deviation.lessOrEqual(1e-12).or(variance.lessOrEqual(1e-24))
    return try (deviation / (variance + deviation.square() * 1e-6).sqrt()).maskedFill(isStill, 1)
  }

  /// The point at `alpha` between A and B, repaired.
  ///
  /// - Parameters:
  ///   - network: is put at all three, and back where it stood
  /// - Returns: (1 − α) A + α B, with the weights and biases rescaled in layers that make units.
  /// - Throws: `AlignmentError` for a network with BatchNorm, or without a layer that could be repaired.
  public func point(
    of a: Weights, _ b: Weights, at alpha: Double = 0.5, _ symmetry: Symmetry, of network: any Module,
    on source: any ExampleSource
  ) throws -> Weights {
    guard !network.hasBatchNorm else {
      throw AlignmentError("REPAIR is for networks without BatchNorm; here measure BatchNorm's statistics anew instead")
    }
    let known = Set(network.observableModules)
    let layers = symmetry.layers.filter { layer in
      layer.bias != nil && layer.isModule && known.contains(layer.reader)
        && symmetry.axes[layer.weight]?[layer.output].segments.isEmpty == false
    }
    guard !layers.isEmpty else { throw AlignmentError("REPAIR found no layer with a bias that makes units") }
    return try withoutGradients {
      let merged = try a.interpolated(to: b, at: alpha)
      let batches = try source.ranges(ofAtMost: batchSize).prefix { $0.lowerBound < examples }
        .map { try source.batch($0.clamped(to: 0..<max(1, min(examples, source.count)))).inputs }
      let pairs = try moments(of: layers, a, b, network, batches)
      return try form == .closed
        ? closed(merged, layers, pairs, alpha) : measured(merged, layers, pairs, alpha, network, batches)
    }
  }

  /// Mean and deviation of a unit in both networks and its correlation between them, [units] each.
  private struct Pair {
    var count = 0
    var sums: [Tensor] = []

    mutating func add(_ a: Tensor, _ b: Tensor) throws {
      let parts = try [a.sum([0]), b.sum([0]), a.square().sum([0]), b.square().sum([0]), (a * b).sum([0])]
      count += a.shape[0]
      sums = try sums.isEmpty ? parts : zip(sums, parts).map { try $0 + $1 }
    }

    func statistics() throws -> (meanA: Tensor, meanB: Tensor, a: Tensor, b: Tensor, covariance: Tensor) {
      let means = try sums.map { try $0 * (1 / Double(max(1, count))) }
      return (
        means[0], means[1], try (means[2] - means[0].square()).clamp(min: 0).sqrt(),
        try (means[3] - means[1].square()).clamp(min: 0).sqrt(), try means[4] - means[0] * means[1]
      )
    }
  }

  /// Channels last: [observations, units] float64; nil where only a part of the layer's output was worked out.
  private static func rows(_ tensor: Tensor, units: Int) throws -> Tensor? {
    let last = try tensor.rank == 4 && tensor.shape[1] == units ? tensor.permute([0, 2, 3, 1]) : tensor
    return last.shape.last == units ? try last.reshape([-1, units]).to(.float64) : nil
  }

  private func moments(
    of layers: [Symmetry.Layer], _ a: Weights, _ b: Weights, _ network: any Module, _ batches: [Tensor]
  ) throws -> [String: Pair] {
    var pairs: [String: Pair] = [:]
    let units = Dictionary(
      layers.compactMap { layer in layer.bias.flatMap { a[$0] }.map { (layer.reader, $0.count) } },
      uniquingKeysWith: { $1 })
    for inputs in batches {
      let outputs = try [a, b].map { weights in
        var outputs: [String: Tensor] = [:]
        try network.at(weights) {
          try network.observing(layers.map(\.reader)) { seen in
            outputs[seen.name] = try units[seen.name].flatMap { try Self.rows(seen.output, units: $0) }
          } during: {
            _ = try network(inputs, .evaluation)
          }
        }
        return outputs
      }
      for (name, ours) in outputs[0] {
        if let theirs = outputs[1][name] { try pairs[name, default: Pair()].add(ours, theirs) }
      }
    }
    return pairs
  }

  /// W ← s W, b ← s b + shift for every unit.
  private func fold(_ layer: Symmetry.Layer, _ weights: inout Weights, scale: Tensor, shift: Tensor) throws {
    guard let weight = weights[layer.weight], let name = layer.bias, let bias = weights[name] else { return }
    var shape = [Int](repeating: 1, count: weight.rank)
    shape[layer.output] = -1
    weights[layer.weight] = try (weight.to(.float64) * scale.reshape(shape)).to(weight.dtype)
    weights[name] = try (bias.to(.float64) * scale + shift).to(bias.dtype)
  }

  private func closed(
    _ merged: Weights, _ layers: [Symmetry.Layer], _ pairs: [String: Pair], _ alpha: Double
  ) throws -> Weights {
    var result = merged
    for layer in layers {
      guard let pair = try pairs[layer.reader]?.statistics() else { continue }
      let goal = try pair.a * (1 - alpha) + pair.b * alpha
      let variance =
        try pair.a.square() * ((1 - alpha) * (1 - alpha)) + pair.b.square() * (alpha * alpha)
        + pair.covariance * (2 * alpha * (1 - alpha))
      let scale = try Self.scale(from: variance.clamp(min: 0), to: goal)
      let mean = try pair.meanA * (1 - alpha) + pair.meanB * alpha
      try fold(layer, &result, scale: scale, shift: mean * (1 - scale))
    }
    return result
  }

  private func measured(
    _ merged: Weights, _ layers: [Symmetry.Layer], _ pairs: [String: Pair], _ alpha: Double, _ network: any Module,
    _ batches: [Tensor]
  ) throws -> Weights {
    let goals = try pairs.mapValues { pair in
      let pair = try pair.statistics()
      return (
        mean: try pair.meanA * (1 - alpha) + pair.meanB * alpha, deviation: try pair.a * (1 - alpha) + pair.b * alpha
      )
    }
    var running: [String: (mean: Tensor, variance: Tensor)] = [:]
    func observe(_ seen: Observation, _ index: Int) throws {
      guard let goal = goals[seen.name], let rows = try Self.rows(seen.output, units: goal.mean.count) else { return }
      let (mean, variance) = (try rows.mean([0]), try rows.variance([0], correction: 0))
      // The plain average over batches, as BatchNorm without momentum keeps it.
      let rate = 1 / Double(index + 1)
      running[seen.name] =
        try running[seen.name].map {
          (try $0.mean.lerp(mean, weight: rate), try $0.variance.lerp(variance, weight: rate))
        } ?? (mean, variance)
      // What follows reads what the repaired layer would give.
      let scale = try Self.scale(from: variance, to: goal.deviation)
      var shape = [Int](repeating: 1, count: seen.output.rank)
      shape[seen.output.rank == 4 ? 1 : seen.output.rank - 1] = -1
      let shift = try goal.mean - mean * scale
      try seen.output.multiplyInPlace(scale.to(seen.output.dtype).reshape(shape))
      try seen.output.addInPlace(shift.to(seen.output.dtype).reshape(shape))
    }
    try network.at(merged) {
      for (index, inputs) in batches.enumerated() {
        try network.observing(layers.map(\.reader)) {
          try observe($0, index)
        } during: {
          _ = try network(inputs, .evaluation)
        }
      }
    }
    var result = merged
    for layer in layers {
      guard let goal = goals[layer.reader], let (mean, variance) = running[layer.reader] else { continue }
      let scale = try Self.scale(from: variance, to: goal.deviation)
      try fold(layer, &result, scale: scale, shift: goal.mean - mean * scale)
    }
    return result
  }
}
