import Testing

@testable import Alignment

@Suite struct PermutationTests {
  @Test func identityKeepsEveryUnitInItsPlace() {
    #expect(Permutation(identity: 3).indices == [0, 1, 2])
  }
}
