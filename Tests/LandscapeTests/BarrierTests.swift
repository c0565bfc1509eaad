import Testing

@testable import Landscape

@Suite struct BarrierTests {
  @Test func isMeasuredFromTheLineBetweenTheEnds() {
    #expect(Barrier(positions: [0, 0.5, 1], losses: [1, 4, 3]).signed == [0, 2, 0])
  }
}
