import Foundation
import Testing

@testable import Search

@Suite struct MinimiserTests {
  private static func box(_ count: Int, from lower: Double = 0, to upper: Double = 1) throws -> SearchSpace {
    try SearchSpace((0..<count).map { .number("x\($0)", from: lower, to: upper) })
  }

  private static func run(
    _ space: SearchSpace, _ algorithm: Minimiser.Algorithm, seed: UInt64 = 1, _ count: Int,
    _ function: ([Double]) -> Double
  ) -> Minimiser {
    var minimiser = Minimiser(space, by: algorithm, seed: seed)
    for _ in 0..<count {
      let point = minimiser.ask()
      minimiser.tell(point, function(point))
    }
    return minimiser
  }

  /// Least 0 at three places.
  private static func branin(_ p: [Double]) -> Double {
    let (a, b) = (p[0] * 15 - 5, p[1] * 15)
    let q = b - 5.1 / (4 * .pi * .pi) * a * a + 5 / .pi * a - 6
    return q * q + 10 * (1 - 1 / (8 * .pi)) * cos(a) + 10 - 0.397887
  }

  @Test func gaussianProcessFindsTheLeastOfBranin() throws {
    let space = try Self.box(2)
    let found = (1...3).map { seed in
      Self.run(space, .gaussianProcess, seed: seed, 30, Self.branin).best?.value ?? .infinity
    }
    #expect(found.allSatisfy { $0 < 0.2 }, "\(found)")
  }

  @Test func adaptationFindsTheLeastOfSphereAndRosenbrock() throws {
    let sphere = Self.run(try Self.box(6, from: -2, to: 3), .covarianceMatrixAdaptation, 1000) { point in
      point.reduce(0) { $0 + ($1 - 0.7) * ($1 - 0.7) }
    }
    #expect(try #require(sphere.best).value < 1e-6)
    let valley = Self.run(try Self.box(3, from: -2, to: 2), .covarianceMatrixAdaptation, 3000) { point in
      (0..<2).reduce(0) { sum, i in
        let (a, b) = (1 - point[i], point[i + 1] - point[i] * point[i])
        return sum + a * a + 100 * b * b
      }
    }
    #expect(try #require(valley.best).value < 1e-6)
    // Badly scaled, with its least on a side.
    let edge = Self.run(try Self.box(3), .covarianceMatrixAdaptation, 1500) {
      $0[0] + 1e4 * pow($0[1] - 0.3, 2) + $0[2]
    }
    #expect(try #require(edge.best).value < 1e-3)
  }

  /// A converged population starts anew and finds the lower of two valleys.
  @Test func adaptationStartsAgain() throws {
    let twoValleys = Self.run(try Self.box(2), .covarianceMatrixAdaptation, seed: 2, 3000) { p in
      min(0.1 + pow(p[0] - 0.4, 2) + pow(p[1] - 0.4, 2), 4 * (pow(p[0] - 0.9, 2) + pow(p[1] - 0.9, 2)))
    }
    #expect(try #require(twoValleys.best).value < 1e-3)
  }

  private static func mixed() throws -> SearchSpace {
    try SearchSpace([
      .number("a", from: 1e-3, to: 1, scale: .log), .integer("b", from: 0, to: 7), .choice("c", of: 3),
    ])
  }

  private static func cost(_ point: [Double]) -> Double {
    abs(log10(point[0]) + 2) + abs(point[1] - 5) / 7 + (point[2] == 1 ? 0 : 0.5)
  }

  @Test(arguments: Minimiser.Algorithm.allCases) func toldAgainItGoesOnTheSame(_ algorithm: Minimiser.Algorithm) throws
  {
    let space = try Self.mixed()
    let whole = Self.run(space, algorithm, seed: 9, 30, Self.cost)
    for interruption in [0, 3, 17] {
      // Through JSON, as a file would keep it.
      let data = try JSONEncoder().encode(Array(whole.observations.prefix(interruption)))
      let kept = try JSONDecoder().decode([Minimiser.Observation].self, from: data)
      var again = Minimiser(space, by: algorithm, seed: 9, observations: kept)
      for _ in interruption..<30 {
        let point = again.ask()
        #expect(again.ask() == point)
        again.tell(point, Self.cost(point))
      }
      #expect(again.observations == whole.observations)
    }
    #expect(Self.run(space, algorithm, seed: 10, 5, Self.cost).observations != Array(whole.observations.prefix(5)))
  }

  @Test func choicesAndWholeNumbersAreFound() throws {
    let best = try #require(Self.run(try Self.mixed(), .gaussianProcess, seed: 4, 35, Self.cost).best)
    #expect(best.value < 0.15 && best.point[2] == 1 && best.point[1] == 5, "\(best)")
  }

  @Test(arguments: Minimiser.Algorithm.allCases) func failuresCountAsTheWorst(_ algorithm: Minimiser.Algorithm) throws {
    let space = try Self.box(2)
    let minimiser = Self.run(space, algorithm, 24) { $0[0] > 0.6 ? .nan : $0[0] < 0.1 ? .infinity : Self.branin($0) }
    #expect(minimiser.observations.count == 24 && minimiser.best?.value.isFinite == true)
    #expect(Self.run(space, algorithm, 15) { _ in .nan }.best == nil)
    #expect(Self.run(space, algorithm, 15) { _ in 1 }.best?.value == 1)
    #expect(Self.run(space, algorithm, 15) { $0[0] * 1e300 - 1e299 }.best != nil)
  }

  @Test func smallSpacesAreUsedUpWithoutHarm() throws {
    let space = try SearchSpace([.choice("a", of: 2), .integer("b", from: 1, to: 3)])
    let minimiser = Self.run(space, .gaussianProcess, 20) { $0[0] + $0[1] }
    #expect(minimiser.best?.value == 1)
    #expect(Set(minimiser.observations.map(\.point)).count == 6)
  }

  @Test func pointsNotAskedForAreTaken() throws {
    let space = try Self.box(2)
    for algorithm in Minimiser.Algorithm.allCases {
      var minimiser = Minimiser(space, by: algorithm, seed: 1)
      for index in 0..<12 { minimiser.tell([Double(index) / 12, 0.5], abs(Double(index) / 12 - 0.5)) }
      minimiser.tell([1], 0)
      #expect(minimiser.observations.count == 12 && minimiser.ask().count == 2)
    }
  }
}
