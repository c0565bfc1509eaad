import Testing

@testable import Search

@Suite struct SearchSpaceTests {
  @Test func keepsItsDimensionsInOrder() {
    #expect(SearchSpace([.init("b", 0...1), .init("a", 0...2)]).dimensions.map(\.name) == ["b", "a"])
  }
}
