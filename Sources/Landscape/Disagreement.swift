import Datasets
import Foundation
import Networks
import Torch
import Weights

/// How the predictions of several networks differ on the same examples, and what their ensemble makes of that, beside
/// their merge.
///
/// The ensemble is the mean of the networks' probabilities. All intervals are paired over examples: the difference is
/// taken for each example and its mean lies within ± 1.96 standard errors. Of sequences, an example's value is the mean
/// over its tokens.
public struct Disagreement: Codable, Hashable, Sendable {
  /// How one network, or what was made of several, does.
  public struct Score: Codable, Hashable, Sendable {
    /// The network's, `singles' mean`, `ensemble` or `merge`
    public var name: String
    /// Fraction of predictions that are right
    public var accuracy: Double
    /// Mean cross-entropy, nats
    public var loss: Double
  }

  /// How much two networks have in common.
  public struct Pair: Codable, Hashable, Sendable {
    /// The one's name
    public var first: String
    /// The other's name
    public var second: String
    /// Fraction of examples on which both predict the same class
    public var agreement: Double
    /// Pearson's correlation of being wrong; nil where one of them is never or always wrong
    public var errorCorrelation: Double?
  }

  /// The mean over examples of one score less another.
  public struct Difference: Codable, Hashable, Sendable {
    /// Whose score it is
    public var of: String
    /// Whose score is taken off
    public var from: String
    /// Of accuracy, as a fraction
    public var accuracy: Double
    /// The interval's lower end
    public var accuracyLower: Double
    /// The interval's upper end
    public var accuracyUpper: Double
    /// Of cross-entropy, nats
    public var loss: Double
    /// The interval's lower end
    public var lossLower: Double
    /// The interval's upper end
    public var lossUpper: Double
  }

  /// How many were compared on
  public var examples: Int
  /// The networks, their mean ("singles"), their ensemble and, where there is one, their merge
  public var scores: [Score]
  /// All pairs of networks, and of the merge with each of them and with the ensemble
  public var pairs: [Pair]
  /// Ensemble and merge from the singles' mean, and the merge from the ensemble
  public var differences: [Difference]

  /// Compares networks, which differ in their weights only.
  ///
  /// - Parameters:
  ///   - points: the networks' weights, two or more, BatchNorm's statistics included
  ///   - merge: of them; nil: none
  ///   - network: is put at one point after the other, and back where it stood
  ///   - progress: is told the examples done
  ///   - outcomes: gives those of a batch, which `measure` works out; a later attempt may have them already
  /// - Throws: `LandscapeError` for fewer than two networks or two examples.
  public init(
    of points: [(name: String, weights: Weights)], merge: Weights?, _ network: any Module,
    on examples: any ExampleSource, batchSize: Int? = nil, progress: (Int) -> Void = { _ in },
    outcomes: (_ batch: Range<Int>, _ measure: () throws -> Outcomes) throws -> Outcomes = { try $1() }
  ) throws {
    guard points.count > 1, examples.count > 1 else {
      throw LandscapeError(
        "\(points.count) networks on \(examples.count) examples cannot disagree; expected two or more of both")
    }
    let all = points + (merge.map { [("merge", $0)] } ?? [])
    let names = all.map(\.0) + ["ensemble"]
    var rows = [Tally](repeating: Tally(), count: names.count)
    var together = [[Together]](
      repeating: [Together](repeating: Together(), count: names.count), count: names.count)
    // One batch of all networks at a time, so that no more than a batch of probabilities is kept.
    let size = try batchSize ?? examples.evaluationBatchSize()
    try withoutGradients {
      for range in examples.ranges(ofAtMost: size) {
        let found = try outcomes(range) {
          let batch = try examples.batch(range)
          var logarithms = try all.map { point in
            try network.at(point.1) { try network(batch.inputs, .evaluation).to(.float32).logSoftmax(-1) }
          }
          // log of the mean probability: no probability is so small that its logarithm is lost.
          let members = Array(logarithms.prefix(points.count))
          logarithms.append(try Tensor.stack(members).logSumExp([0]) - log(Double(points.count)))
          return try Outcomes(logarithms, labels: batch.labels)
        }
        guard found.isOf(names.count, examples: range.count) else {
          throw LandscapeError(
            "what was kept of examples \(range) is not of these networks; measure into another folder")
        }
        for index in names.indices {
          rows[index].add(found.rows[index])
          for other in names.indices where other > index { together[index][other].add(found.together[index][other]) }
        }
        progress(range.upperBound)
      }
    }
    var singles = Tally()
    for example in 0..<examples.count {
      func mean(_ value: KeyPath<Tally, [Double]>) -> Double {
        rows.prefix(points.count).reduce(0) { $0 + $1[keyPath: value][example] } / Double(points.count)
      }
      singles.scores.append(mean(\.scores))
      singles.losses.append(mean(\.losses))
    }
    let (ensemble, merged) = (names.count - 1, points.count)
    self.examples = examples.count
    var scores = points.indices.map { rows[$0].score(points[$0].name) }
    scores += [singles.score("singles' mean"), rows[ensemble].score("ensemble")]
    var differences = [rows[ensemble].difference(from: singles, names: ("ensemble", "singles' mean"))]
    if merge != nil {
      scores.append(rows[merged].score("merge"))
      differences += [
        rows[merged].difference(from: singles, names: ("merge", "singles' mean")),
        rows[merged].difference(from: rows[ensemble], names: ("merge", "ensemble")),
      ]
    }
    (self.scores, self.differences) = (scores, differences)
    pairs = names.indices.flatMap { first in
      names.indices.filter { $0 > first && !($0 == ensemble && (merge == nil || first < merged)) }.map {
        together[first][$0].pair(names[first], names[$0])
      }
    }
  }

  /// What the networks, their merge and their ensemble made of one batch.
  public struct Outcomes: Codable, Sendable {
    fileprivate var rows: [Tally] = []
    fileprivate var together: [[Together]] = []

    fileprivate func isOf(_ count: Int, examples: Int) -> Bool {
      rows.count == count && rows.allSatisfy { $0.scores.count == examples && $0.losses.count == examples }
        && together.map(\.count) == [Int](repeating: count, count: count)
    }

    /// - Parameter logarithms: of each one's probabilities, [..., classes]
    fileprivate init(_ logarithms: [Tensor], labels: Tensor) throws {
      let predictions = try logarithms.map { try $0.argmax(-1) }
      let right = try predictions.map { try $0.equals(labels).to(.float64) }
      for index in logarithms.indices {
        let losses = try -logarithms[index].gather(-1, labels.unsqueeze(-1)).squeeze(-1)
        rows.append(
          Tally(
            scores: try right[index].exampleMeans().array(Double.self),
            losses: try losses.to(.float64).exampleMeans().array(Double.self)))
        together.append(
          try logarithms.indices.map { other in
            guard other > index else { return Together() }
            return Together(
              count: Double(labels.count),
              same: Double(try predictions[index].equals(predictions[other]).countNonzero().intItem()),
              first: try right[index].sum().item(), second: try right[other].sum().item(),
              both: try (right[index] * right[other]).sum().item())
          })
      }
    }
  }

  /// Of one network, by example.
  fileprivate struct Tally: Codable {
    var scores: [Double] = []
    var losses: [Double] = []

    mutating func add(_ other: Tally) {
      scores += other.scores
      losses += other.losses
    }

    func score(_ name: String) -> Score {
      let count = Double(max(1, scores.count))
      return Score(name: name, accuracy: scores.reduce(0, +) / count, loss: losses.reduce(0, +) / count)
    }

    func difference(from other: Tally, names: (String, String)) -> Difference {
      func paired(_ value: KeyPath<Tally, [Double]>) -> (mean: Double, reach: Double) {
        let differences = zip(self[keyPath: value], other[keyPath: value]).map { $0 - $1 }
        let count = Double(differences.count)
        let mean = differences.reduce(0, +) / count
        let squares = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (mean, 1.959964 * (squares / (count - 1) / count).squareRoot())
      }
      let (accuracy, loss) = (paired(\.scores), paired(\.losses))
      return Difference(
        of: names.0, from: names.1, accuracy: accuracy.mean, accuracyLower: accuracy.mean - accuracy.reach,
        accuracyUpper: accuracy.mean + accuracy.reach, loss: loss.mean, lossLower: loss.mean - loss.reach,
        lossUpper: loss.mean + loss.reach)
    }
  }

  /// Of two networks, over predictions.
  fileprivate struct Together: Codable {
    var count = 0.0
    var same = 0.0
    var first = 0.0
    var second = 0.0
    var both = 0.0

    mutating func add(_ other: Together) {
      count += other.count
      same += other.same
      first += other.first
      second += other.second
      both += other.both
    }

    /// Being wrong correlates as being right does.
    func pair(_ firstName: String, _ secondName: String) -> Pair {
      let (p, q) = (first / count, second / count)
      let variance = p * (1 - p) * q * (1 - q)
      return Pair(
        first: firstName, second: secondName, agreement: same / count,
        errorCorrelation: variance > 0 ? (both / count - p * q) / variance.squareRoot() : nil)
    }
  }
}

extension Tensor {
  /// [n] as it is; [n, context] as the mean over each sequence, [n].
  fileprivate func exampleMeans() throws -> Tensor { rank == 1 ? self : try mean([1]) }
}
