import Testing
import Torch

@testable import Networks

@Suite struct DropoutTests {
  private static func outputs(_ modes: [Mode], seed: UInt64 = 1) throws -> [Tensor] {
    let dropout = try Dropout(0.25, generator: Generator(seed: seed))
    return try modes.map { try dropout(.ones([100, 100]), $0) }
  }

  @Test func trainingZeroesTheShareAskedForAndKeepsTheMean() throws {
    let output = try Self.outputs([.training])[0]
    let kept = try output.countNonzero().item() / 10_000
    // Five standard errors of a share of 0.75 in 10,000 draws.
    #expect(abs(kept - 0.75) < 5 * (0.75 * 0.25 / 10_000).squareRoot())
    #expect(try abs(output.max().item() - 4 / 3) < 1e-6)
  }

  @Test func otherModesChangeNothing() throws {
    for output in try Self.outputs([.evaluation, .reestimation(batch: 0)]) {
      #expect(try output.isIdentical(to: .ones([100, 100])))
    }
  }

  @Test func theSeedDecidesTheDrawsAndEachPassDrawsAnew() throws {
    let first = try Self.outputs([.training, .training])
    let again = try Self.outputs([.training, .training])
    #expect(try first[0].isIdentical(to: again[0]) && first[1].isIdentical(to: again[1]))
    #expect(try !first[0].isIdentical(to: first[1]))
    #expect(try !first[0].isIdentical(to: Self.outputs([.training], seed: 2)[0]))
  }
}
