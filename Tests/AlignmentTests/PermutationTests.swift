import Support
import Testing

@testable import Alignment

@Suite struct PermutationTests {
  @Test func identityKeepsEveryUnitInItsPlace() {
    #expect(Permutation(identity: 3).indices == [0, 1, 2])
    #expect(Permutation(identity: 0).isIdentity)
  }

  @Test func inverseAndCompositionAreThoseOfAGroup() throws {
    var random = SplitMix64(1)
    for count in [1, 2, 5, 30] {
      let (p, q) = (Permutation(random: count, using: &random), Permutation(random: count, using: &random))
      #expect(p.after(p.inverse).isIdentity && p.inverse.after(p).isIdentity)
      let letters = (0..<count).map { $0 * 10 }
      let one = p.indices.map { letters[$0] }
      #expect(q.after(p).indices.map { letters[$0] } == q.indices.map { one[$0] })
      #expect(Set(p.indices) == Set(0..<count))
    }
  }

  @Test(arguments: [[0, 0], [1, 2], [-1, 0]]) func whatIsNoPermutationIsRefused(_ indices: [Int]) {
    let error = #expect(throws: AlignmentError.self) { try Permutation(indices) }
    #expect(error?.description.contains("among them are no permutation of 0 ..< 2") == true)
  }
}
