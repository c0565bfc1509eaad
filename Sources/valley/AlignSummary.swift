import Alignment
import Checkpoints
import Foundation
import Landscape
import Networks
import Weights

/// What aligning found, for people and as JSON.
struct AlignSummary: Encodable {
  struct Network: Encodable {
    var file: String
    var output: String?
    /// Units that have another place than before.
    var moved = 0
    /// Σ⟨A, πB⟩ and ‖A − πB‖ over the trained parameters, and the same before
    var objective, formerObjective, distance, formerDistance: Double?
    var sweeps: Int?
    var isConverged: Bool?
    /// Mean correlation of the activations of matched units
    var correlation, formerCorrelation: Double?
    /// Training loss of the midpoint
    var loss, formerLoss: Double?

    init(file: String) { self.file = file }

    mutating func count(_ permutations: [Permutation]) { moved = permutations.reduce(0) { $0 + $1.moved } }

    mutating func compare(_ symmetry: Symmetry, _ a: Weights, _ b: Weights, _ permutations: [Permutation]) throws {
      count(permutations)
      let trained = { (weights: Weights) in weights.filter { name, _ in !symmetry.buffers.contains(name) } }
      let (a, before, after) = (trained(a), trained(b), trained(try symmetry.apply(permutations, to: b)))
      (objective, formerObjective) = (try a.dot(after), try a.dot(before))
      (distance, formerDistance) = (try (a - after).norm(), try (a - before).norm())
    }
  }

  /// Losses along the straight line from the reference to another network.
  struct Path: Encodable {
    var to, state: String
    var positions: [Double]
    var measures: [PointMeasure]
    /// Loss above the line between the ends where it is highest, nats
    var trainBarrier, testBarrier: Double?

    init(to: String, state: String, positions: [Double], measures: [PointMeasure]) {
      (self.to, self.state, self.positions, self.measures) = (to, state, positions, measures)
      func barrier(_ losses: [Double]) -> Double? {
        losses.count == positions.count ? Barrier(positions: positions, losses: losses).signed.max() : nil
      }
      trainBarrier = barrier(measures.compactMap { $0.train?.loss })
      testBarrier = barrier(measures.compactMap { $0.test?.loss })
    }
  }

  var method, reference: String
  var seed: UInt64
  var groups, units: Int
  var networks: [Network] = []
  /// Root mean square distance from the mean, and the same before
  var spread, formerSpread: Double?
  var rounds: Int?
  /// On what the paths were measured.
  var measured: String?
  var paths: [Path] = []
  var merged: String?

  init(method: String, reference: String, seed: UInt64, groups: Int, units: Int) {
    (self.method, self.reference, self.seed, self.groups, self.units) = (method, reference, seed, groups, units)
  }

  var text: String {
    var lines = networks.map { network in
      var text = "\(network.output ?? network.file): \(network.moved) of \(units) units in \(groups) groups moved"
      if let sweeps = network.sweeps {
        text += " in \(sweeps) sweeps" + (network.isConverged == false ? ", not converged: raise --sweeps" : "")
      }
      if let objective = network.objective, let former = network.formerObjective, let distance = network.distance,
        let formerDistance = network.formerDistance
      {
        text += String(
          format: "\n  objective %.6g (before %.6g), distance from the reference %.6g (%.6g)", objective, former,
          distance,
          formerDistance)
      }
      if let correlation = network.correlation, let former = network.formerCorrelation {
        text += String(format: "\n  correlation of matched units %.4f (before %.4f)", correlation, former)
      }
      if let loss = network.loss, let former = network.formerLoss {
        text += String(format: "\n  training loss of the midpoint %.4f (by weights alone %.4f)", loss, former)
      }
      return text
    }
    if let spread, let formerSpread, let rounds {
      lines.append(
        String(format: "distance from the mean %.6g (before %.6g) after %d rounds", spread, formerSpread, rounds))
    }
    if !paths.isEmpty { lines += ["", table] }
    if let measured { lines.append(measured) }
    if let merged { lines.append("\(merged): the mean of the aligned networks") }
    return lines.joined(separator: "\n")
  }

  private var table: String {
    func number(_ value: Double?, _ format: String, times: Double = 1) -> String {
      value.map { String(format: format, $0 * times) } ?? ""
    }
    let hasTrain = paths.contains { $0.trainBarrier != nil }
    let hasTest = paths.contains { $0.testBarrier != nil }
    var table = TextTable(
      ["to", "path"] + (hasTrain ? ["train barrier", "train middle"] : [])
        + (hasTest ? ["test barrier", "test middle", "ends"] : []))
    table.rows = paths.map { path in
      let middle = path.measures[path.measures.count / 2]
      let ends = [path.measures.first, path.measures.last].map { number($0?.test?.accuracy, "%.1f", times: 100) }
      return [path.to, path.state]
        + (hasTrain
          ? [number(path.trainBarrier, "%.4f"), number(middle.train?.accuracy, "%.2f %%", times: 100)] : [])
        + (hasTest
          ? [
            number(path.testBarrier, "%.4f"), number(middle.test?.accuracy, "%.2f %%", times: 100),
            ends.joined(separator: ", ") + " %",
          ] : [])
    }
    return table.text
  }
}
