import Foundation
import Support

/// Bayesian optimisation: the next point is the one that promises the most under a Gaussian process fitted to all that
/// is known.
struct GaussianProcessSearch {
  private let space: SearchSpace
  private let seed: UInt64

  init(_ space: SearchSpace, seed: UInt64) { (self.space, self.seed) = (space, seed) }

  /// Points spread over the space before a model is worth making: few, since most of a space of merges is bad; more
  /// where there are steps, which the model knows nothing of.
  private var design: Int {
    let count = space.dimensions.count
    let isSmooth = space.dimensions.allSatisfy { if case .number = $0.kind { true } else { false } }
    return isSmooth ? max(5, count / 2 + 2) : count + 4
  }

  /// More observations than these cost the model seconds; the best and the latest say the most.
  private static let most = 300

  func next(_ observations: [Minimiser.Observation]) -> [Double] {
    let seen = Set(observations.map { space.unit($0.point) })
    if observations.count < design {
      var random = SplitMix64(seed, 0xDE51, salt: .search)
      return space.point(LatinHypercube.points(design, dimensions: space.width, random: &random)[observations.count])
    }
    var random = SplitMix64(seed, 0xACC, UInt64(observations.count), salt: .search)
    let known = Self.informative(observations)
    let points = known.map { space.unit($0.point) }
    let values = Self.levelled(known.map(\.value))
    let owners = space.owners
    let evidence = Evidence(points, values, owners: owners)
    let theta = evidence.best(random: &random, starts: known.count > 100 ? 2 : 4)
    guard let process = GaussianProcess(points, values, owners: owners, Evidence.parameters(theta)) else {
      return space.point((0..<space.width).map { _ in random.uniformDouble() })
    }
    return space.point(mostPromising(process, points, seen: seen, random: &random))
  }

  // MARK: What is known

  private static func informative(_ observations: [Minimiser.Observation]) -> [Minimiser.Observation] {
    guard observations.count > most else { return observations }
    let order = observations.indices.sorted {
      (observations[$0].value.isFinite ? observations[$0].value : .infinity, $0)
        < (observations[$1].value.isFinite ? observations[$1].value : .infinity, $1)
    }
    let kept = Set(order.prefix(most / 2)).union(observations.indices.suffix(most / 2))
    return kept.sorted().map { observations[$0] }
  }

  /// Values of mean 0 and deviation 1 in the same order. Above the median they are taken logarithmically: how bad a bad
  /// merge is must not decide the scale on which good ones are told apart. A failure is as bad as the worst.
  static func levelled(_ values: [Double]) -> [Double] {
    let finite = values.filter(\.isFinite).sorted()
    guard let least = finite.first, let worst = finite.last else { return values.map { _ in 0 } }
    let median = finite[finite.count / 2]
    let scale = median > least ? median - least : worst - least
    guard scale > 0 else { return values.map { _ in 0 } }
    let bent = values.map { value in
      let u = ((value.isFinite ? value : worst) - median) / scale
      return u > 0 ? log1p(u) : u
    }
    let mean = bent.reduce(0, +) / Double(bent.count)
    let deviation = (bent.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(bent.count)).squareRoot()
    return bent.map { ($0 - mean) / max(deviation, 1e-12) }
  }

  // MARK: Where to go

  /// The point of the highest expected improvement; every third time that of the lowest mean, if that is worth an
  /// evaluation: with few of these and several dimensions what looks best is worth a look, however well it seems to be
  /// known. (0.05 is a twentieth of the values' deviation.)
  private func mostPromising(
    _ process: GaussianProcess, _ points: [[Double]], seen: Set<[Double]>, random: inout SplitMix64
  ) -> [Double] {
    let means = points.map { process.mean(at: $0) }
    // Noise makes the lowest value seen too good to be true; the lowest mean is not.
    let best = means.min() ?? 0
    let starts = means.indices.sorted { (means[$0], $0) < (means[$1], $1) }.prefix(4).map { points[$0] }
    if points.count % 3 == 2,
      let lowest = highest(starts, seen: seen, random: &random, { -process.mean(at: $0) }),
      best - process.mean(at: lowest) > 0.05
    {
      return lowest
    }
    let promising = highest(starts, seen: seen, random: &random) { point in
      let (mean, deviation) = process.posterior(at: point)
      return logExpectedImprovement(gain: best - mean, deviation: deviation)
    }
    // A space of few points may be used up.
    return promising ?? (0..<space.width).map { _ in random.uniformDouble() }
  }

  /// The point of the highest score that climbs from random points and from around `starts` find. Points evaluated
  /// before are left out: they would give the same again.
  private func highest(
    _ starts: [[Double]], seen: Set<[Double]>, random: inout SplitMix64, _ score: ([Double]) -> Double
  ) -> [Double]? {
    var candidates: [(point: [Double], score: Double)] = []
    func consider(_ unit: [Double]) {
      let point = space.snapped(unit)
      if !seen.contains(point) { candidates.append((point, score(point))) }
    }
    let width = space.width
    for _ in 0..<min(2000, 200 * width) { consider((0..<width).map { _ in random.uniformDouble() }) }
    for start in starts {
      for scale in [0.2, 0.05, 0.01] {
        for _ in 0..<10 { consider(moved(start, by: scale, &random)) }
      }
    }
    candidates.sort { $0.score > $1.score }
    var top = candidates.first
    for var climber in candidates.prefix(6) {
      for scale in [0.1, 0.05, 0.02, 0.01, 0.003, 0.001] {
        for _ in 0..<(10 + 4 * min(width, 20)) {
          let point = space.snapped(moved(climber.point, by: scale, &random))
          guard !seen.contains(point) else { continue }
          let value = score(point)
          if value > climber.score { climber = (point, value) }
        }
      }
      if climber.score > top?.score ?? -.infinity { top = climber }
    }
    return top?.point
  }

  /// A point near another: some of its dimensions moved, a choice now and then made anew.
  private func moved(_ point: [Double], by scale: Double, _ random: inout SplitMix64) -> [Double] {
    var result = point
    let all = random.uniformDouble() < 0.5
    let forced = random.choice(of: space.dimensions.count)
    var start = 0
    for (index, dimension) in space.dimensions.enumerated() {
      defer { start += dimension.width }
      guard all || index == forced || random.uniformDouble() < 0.3 else { continue }
      switch dimension.kind {
      case .number: result[start] = min(1, max(0, result[start] + scale * random.normal()))
      case .integer(let lower, let upper, _):
        // At least about a step of one.
        let step = max(scale, 1 / Double(upper - lower + 1))
        result[start] = min(1, max(0, result[start] + step * random.normal()))
      case .choice(let count):
        guard random.uniformDouble() < 0.3 else { continue }
        let chosen = random.choice(of: count)
        for offset in 0..<count { result[start + offset] = offset == chosen ? 1 : 0 }
      }
    }
    return result
  }
}
