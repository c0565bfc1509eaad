import Support
import Testing

@testable import Search

@Suite struct SearchSpaceTests {
  private func space() throws -> SearchSpace {
    try SearchSpace([
      .number("a", from: -1, to: 3), .number("b", from: 1e-4, to: 1, scale: .log), .integer("c", from: 2, to: 5),
      .integer("d", from: 1, to: 1000, scale: .log), .choice("e", of: 3),
    ])
  }

  @Test func pointsAndCoordinatesCorrespond() throws {
    let space = try space()
    #expect(space.width == 7 && space.owners == [0, 1, 2, 3, 4, 4, 4])
    let middle = space.point([0.5, 0.5, 0.5, 0.5, 0.1, 0.9, 0.3])
    #expect(middle[0] == 1 && abs(middle[1] - 0.01) < 1e-12 && [3, 4].contains(middle[2]) && middle[4] == 1)
    #expect((20...32).contains(middle[3]))
    var random = SplitMix64(3, salt: .search)
    for _ in 0..<200 {
      let point = space.point((0..<7).map { _ in 3 * random.uniformDouble() - 1 })
      #expect((-1...3).contains(point[0]) && (1e-4...1).contains(point[1]))
      #expect([2, 3, 4, 5].contains(point[2]) && (1...1000).contains(point[3]) && [0, 1, 2].contains(point[4]))
      let again = space.point(space.unit(point))
      #expect(zip(again, point).allSatisfy { abs($0 - $1) < 1e-9 * max(1, abs($1)) })
      #expect(Array(again[2...]) == Array(point[2...]))
    }
    // Every whole number is as likely as any other.
    let counts = (0..<400).map { space.point([0, 0, (Double($0) + 0.5) / 400, 0, 0, 0, 0])[2] }
    #expect([2, 3, 4, 5].allSatisfy { value in counts.filter { $0 == value }.count == 100 })
  }

  @Test func whatHoldsNothingIsRefused() {
    func problem(_ dimensions: [SearchSpace.Dimension]) -> String {
      do {
        _ = try SearchSpace(dimensions)
        return ""
      } catch { return "\(error)" }
    }
    #expect(problem([]).contains("nothing to search"))
    #expect(problem([.number("w", from: 1, to: 1)]).contains("w: the range 1 … 1 is empty"))
    #expect(problem([.number("w", from: 2, to: 1)]).contains("below its upper end"))
    #expect(problem([.number("w", from: 0, to: 1, scale: .log)]).contains("lie above 0"))
    #expect(problem([.number("w", from: .nan, to: 1)]).contains("finite"))
    #expect(problem([.integer("w", from: 0, to: 4, scale: .log)]).contains("start at 1"))
    #expect(problem([.integer("w", from: .min, to: .max)]).contains("too large"))
    #expect(problem([.choice("w", of: 1)]).contains("1 choices"))
    #expect(problem([.number("w", from: 0, to: 1), .integer("w", from: 0, to: 1)]).contains("given twice"))
  }

  @Test func hypercubesSpread() {
    var random = SplitMix64(1, salt: .search)
    let points = LatinHypercube.points(10, dimensions: 3, random: &random)
    for axis in 0..<3 { #expect(Set(points.map { Int($0[axis] * 10) }) == Set(0..<10)) }
  }
}
