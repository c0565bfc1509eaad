import Foundation

/// An estimate with a two-sided 95 % confidence interval.
public struct Estimate: Codable, Hashable, Sendable {
  /// What the interval allows for.
  public enum Interval: String, Codable, Sendable {
    /// Repeated training on the same test set: Student-t over seeds.
    case seeds
    /// Another test set for this one run: normal, from the paired standard error over test examples.
    case testExamples = "test examples"
    /// Other endpoints of the same trunk or pretrained weights: the jackknife over the endpoints of one run.
    case endpoints
    /// Nothing: there are no data to compute an interval from.
    case none

    /// How captions call it.
    var words: String? {
      switch self {
      case .seeds: "Student-t over seeds"
      case .testExamples: "over test examples where there is one seed (these say nothing about other seeds)"
      case .endpoints: "jackknife over endpoints where there is one seed (these say nothing about other trunks)"
      case .none: nil
      }
    }
  }

  /// The mean.
  public var value: Double
  /// The lower end of the interval; nil where there is none.
  public var lower: Double?
  /// The upper end of the interval; nil where there is none.
  public var upper: Double?
  /// What the interval allows for.
  public var interval: Interval
  /// The number of runs averaged.
  public var runs: Int

  init(value: Double, lower: Double?, upper: Double?, interval: Interval, runs: Int) {
    self.value = value
    self.lower = lower
    self.upper = upper
    self.interval = interval
    self.runs = runs
  }

  private init(value: Double, halfWidth: Double?, interval: Interval, runs: Int) {
    self.init(
      value: value, lower: halfWidth.map { value - $0 }, upper: halfWidth.map { value + $0 },
      interval: halfWidth == nil ? .none : interval, runs: runs)
  }

  /// The mean of one value per run, with a t interval over runs; a single run has no interval.
  ///
  /// Nil without values.
  public init?(overSeeds values: [Double]) {
    guard !values.isEmpty else { return nil }
    let count = Double(values.count)
    self.init(
      value: mean(values),
      halfWidth: values.count > 1
        ? StudentT(degreesOfFreedom: count - 1).quantile(0.975) * (variance(values) / count).squareRoot() : nil,
      interval: .seeds, runs: values.count)
  }

  /// Combines the gains of repeated runs.
  ///
  /// Two or more runs give a t interval over runs. One run gives a normal interval from its own standard error over
  /// test examples, which says nothing about how another seed would do; `interval` tells the two apart.
  init?(runs: [RunGain]) {
    if runs.count == 1, let error = runs[0].error {
      self.init(value: runs[0].value, halfWidth: normalQuantile975 * error, interval: .testExamples, runs: 1)
    } else {
      self.init(overSeeds: runs.map(\.value))
    }
  }

  /// A value of one network, or of one merge of networks.
  public struct Sample: Hashable, Sendable {
    /// The endpoints that the value depends on.
    public var endpoints: [Int]
    /// The value, in the unit of the estimate.
    public var value: Double

    /// A value that depends on these endpoints.
    public init(endpoints: [Int], value: Double) { (self.endpoints, self.value) = (endpoints, value) }
  }

  /// Combines levels, such as accuracies, of repeated runs: with a t interval over the means of the runs, or for a
  /// single run with the jackknife over its endpoints. Nil without values.
  ///
  /// - Parameter error: the standard error over test examples, for one run with a single value.
  public init?(samples runs: [[Sample]], error: Double? = nil) {
    let runs = runs.filter { !$0.isEmpty }
    guard let first = runs.first, runs.count == 1 else {
      self.init(overSeeds: runs.map { mean($0.map(\.value)) })
      return
    }
    if let error, first.count == 1 {
      self.init(value: first[0].value, halfWidth: normalQuantile975 * error, interval: .testExamples, runs: 1)
      return
    }
    let jackknife = jackknifeOverEndpoints(first)
    self.init(
      value: mean(first.map(\.value)),
      halfWidth: jackknife.map { StudentT(degreesOfFreedom: $0.degreesOfFreedom).quantile(0.975) * $0.error },
      interval: .endpoints, runs: 1)
  }
}

/// The standard error of the mean of values that share endpoints, as merges of pairs do, found by leaving out one
/// endpoint at a time with all values that depend on it (Arvesen 1969, jackknifing U-statistics).
///
/// For values of single endpoints this is the usual standard error. Nil where leaving one out leaves nothing.
func jackknifeOverEndpoints(_ samples: [Estimate.Sample]) -> (error: Double, degreesOfFreedom: Double)? {
  let endpoints = Set(samples.flatMap(\.endpoints)).sorted()
  let means = endpoints.map { left in mean(samples.filter { !$0.endpoints.contains(left) }.map(\.value)) }
  guard endpoints.count > 1, means.allSatisfy(\.isFinite) else { return nil }
  let n = Double(endpoints.count)
  let variance = (n - 1) / n * means.reduce(0) { $0 + ($1 - mean(means)) * ($1 - mean(means)) }
  return (variance.squareRoot(), n - 1)
}
