import Testing
import Torch

@testable import Networks

@Suite struct SymmetryDeclarationTests {
  private struct Declared: SymmetricNetwork {
    let first, second: Linear
    let declaration: (inout Symmetry) -> Void

    init(_ declaration: @escaping (inout Symmetry) -> Void) throws {
      first = try Linear(3, 4, generator: Generator(seed: 0))
      second = try Linear(4, 4, bias: false, generator: Generator(seed: 0))
      self.declaration = declaration
    }

    func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor { try second(first(input, mode), mode) }
    func declare(_ symmetry: inout Symmetry) { declaration(&symmetry) }
  }

  @Test func axesAreWhatWasDeclared() throws {
    let network = try Declared {
      let units = $0.units("first")
      $0.layer("first", to: units)
      $0.layer("second", from: units)
    }
    let symmetry = try Symmetry(of: network)
    let units = Symmetry.Segment(group: 0, units: 4, block: 1)
    #expect(symmetry.axes["first.weight"]?.map(\.segments) == [[units], []])
    #expect(symmetry.axes["second.weight"]?.map(\.segments) == [[], [units]])
    #expect(symmetry.axes["first.bias"]?.map(\.segments) == [[units]] && symmetry.axes["second.bias"] == nil)
    #expect(symmetry.layers.map(\.bias) == ["first.bias", nil] && symmetry.names == network.weights.names)
  }

  @Test func everyMistakeIsNamed() throws {
    let network = try Declared {
      let units = $0.units("first")
      $0.layer("first", from: units, to: units)
      $0.layer("second", from: units, to: units)
      $0.layer("third", from: units)
      $0.parameter("first.bias", .fixed, units)
      _ = $0.units("fourth")
    }
    let error = #expect(throws: SymmetryError.self) { try Symmetry(of: network) }
    #expect(
      error?.description.split(separator: "\n") == [
        "the symmetry names third.weight, and the network has no such parameter",
        "first.bias [4]: the symmetry has 2 axes for it",
        "the symmetry names fourth.weight, and the network has no such parameter",
        "first.weight [4, 3]: the symmetry moves an axis of 4 where it has 3",
        "first.weight [4, 3]: a group of units moves two of its axes, which cannot be matched",
        "second.weight [4, 4]: a group of units moves two of its axes, which cannot be matched",
      ])
  }
}
