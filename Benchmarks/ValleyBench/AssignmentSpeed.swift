import Alignment
import ArgumentParser
import Torch

/// A largest assignment of a square matrix in float64.
struct AssignmentSpeed: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "assignment", abstract: "Assign the rows of a matrix to its columns.")

  @OptionGroup var options: RepetitionOptions

  @Option(help: "Rows and columns.") var size = 1024
  @Option(help: "gaussian: independent elements; planted: units and noisy copies of them; low-rank: of rank 8.")
  var kind = Kind.gaussian

  enum Kind: String, ExpressibleByArgument { case gaussian, planted, lowRank = "low-rank" }

  /// Uniform numbers that `peers/assignment.py` draws too: SplitMix64's `index`th, 53 bits.
  private static func uniform(_ index: UInt64) -> Double {
    var z = (index &+ 1) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
  }

  /// Sums of four uniform numbers, of deviation 1.
  private static func normal(_ rows: Int, _ columns: Int, stream: UInt64) throws -> Tensor {
    let elements = (0..<UInt64(rows * columns)).map { index in
      let start = stream << 40 | 4 * index
      return (uniform(start) + uniform(start + 1) + uniform(start + 2) + uniform(start + 3) - 2) * 3.0.squareRoot()
    }
    return try Tensor(elements, shape: [rows, columns])
  }

  func run() throws {
    let matrix: Tensor
    switch kind {
    case .gaussian: matrix = try Self.normal(size, size, stream: 0)
    case .planted:
      let units = try Self.normal(size, 256, stream: 1)
      matrix = try units.matmul((units + Self.normal(size, 256, stream: 2)).flip([0]).transpose())
    case .lowRank:
      matrix = try Self.normal(size, 8, stream: 3).matmul(Self.normal(size, 8, stream: 4).transpose())
    }
    var total = 0.0
    var timing = try Timing.measure("assignment", options) { total = try Assignment(of: matrix, largest: true).total }
    timing.objective = total
    try timing.report()
  }
}
