import Testing

@testable import Landscape

@Suite struct BarrierTests {
  @Test func isMeasuredFromTheLineBetweenTheEnds() {
    let hill = Barrier(positions: [0, 0.5, 1], losses: [1, 4, 3])
    #expect(hill.signed == [0, 2, 0] && hill.height == 2 && hill.position == 0.5 && hill.lowest == 0)
    #expect(hill.area == 1)
  }

  @Test func aValleyHasNoHeightButShows() {
    let valley = Barrier(positions: [0, 0.25, 0.5, 1], losses: [1, 0.5, 0, 1])
    #expect(valley.height == 0 && valley.lowest == -1 && valley.lowestPosition == 0.5)
    #expect(abs(valley.area - (-0.0625 - 0.1875 - 0.25)) < 1e-12)
  }

  @Test func whatIsNotANumberIsNotHidden() {
    #expect(Barrier(positions: [0, 0.5, 1], losses: [1, .nan, 1]).height.isNaN)
    #expect(Barrier(positions: [], losses: []).height.isNaN)
    #expect(Barrier(positions: [0, 0.5, 1], losses: [1, .infinity, 1]).height == .infinity)
  }

  @Test func transitionsAreFoundInFewSteps() throws {
    let found = TransitionSearch(count: 32) { $0 < 11 }
    #expect(found.outcome == .crossing && found.low == 10 && found.high == 11)
    #expect(found.visited.count <= 7 && Set(found.visited).count == found.visited.count)
    #expect(TransitionSearch(count: 8) { _ in false }.outcome == .alwaysBelow)
    let hills = TransitionSearch(count: 8) { _ in true }
    #expect(hills.outcome == .alwaysAbove && hills.visited == [0, 7])
    #expect(TransitionSearch(count: 2) { $0 == 0 }.visited == [0, 1])
    #expect(TransitionSearch(count: 1) { _ in true }.outcome == .alwaysAbove)
  }
}
