import Merging
import Support
import TestSupport
import Testing
import Torch

@testable import Weights

/// The tensor form of Σ cᵢθᵢ against the kernels that merge files.
@Suite struct WeightedSumTests {
  private func point(_ dtype: DType, _ seed: Int) throws -> Weights {
    let generator = try Generator(seed: UInt64(seed))
    var weights = Weights()
    for (name, shape) in [("a", [37, 11]), ("b", [1025]), ("c", []), ("d", [2, 3, 3, 3]), ("empty", [0, 4])] {
      let numbers = try Tensor.normal(shape, generator: generator, dtype: .float64) * (dtype.isFloatingPoint ? 1 : 90)
      weights[name] = try numbers.to(dtype)
    }
    return weights
  }

  @Test(arguments: [DType.float32, .float64, .bfloat16, .float16, .int64, .int32, .uint8, .int8])
  func equalsTheMergeOfFiles(dtype: DType) throws {
    let all = try (0..<5).map { try point(dtype, $0) }
    let cases: [[Double]] = [
      [0.25, 0.25, 0.25, 0.25], [0.3, 0.7], [1, 0], [0, 1], [0, 0.4, 0.6], [1.5, -0.5], [1, 1, 1], [-2], [0, 0],
      [1.0 / 3, 1.0 / 3, 1.0 / 3], [0.1, 0.2, 0.3, 0.15, 0.25],
    ]
    for coefficients in cases {
      let models = Array(all.prefix(coefficients.count))
      let sum = try Weights.weightedSum(Array(zip(coefficients, models)))
      let merged = try linearMerge(models, coefficients: coefficients)
      #expect(try sum.isIdentical(to: merged), "\(dtype) \(coefficients)")
      let target = try all[4].clone()
      try target.overwrite(withSumOf: Array(zip(coefficients, models)))
      #expect(try target.isIdentical(to: merged), "overwritten: \(dtype) \(coefficients)")
    }
  }

  @Test func theMeanRoundsOnce() throws {
    let all = try (0..<4).map { try point(.bfloat16, $0) }
    let exact = try Weights.mean(all.map { try $0.to(.float64) }).to(.float32).to(.bfloat16)
    #expect(try Weights.mean(all).isIdentical(to: exact))
  }

  @Test func pointsThatDoNotFitAreNamed() throws {
    let a = try Weights([("w", Tensor.zeros([2, 3]))]), b = try Weights([("w", Tensor.zeros([3, 2]))])
    for attempt in [
      { _ = try Weights.weightedSum([(1, a), (1, b)]) }, { try a.overwrite(withSumOf: [(1, b)]) },
    ] {
      let error = try #require(throws: FileError.self) { try attempt() }
      #expect(error.description.contains("w is [3, 2] float32, expected [2, 3] float32"), "\(error)")
    }
    let nothing = try #require(throws: FileError.self) { try Weights.weightedSum([]) }
    #expect(nothing.description == "there are no weights to add up")
  }

  @Test func collectionsOfNamesAndTensors() throws {
    let weights = try point(.float32, 1)
    #expect(weights.count == 5 && weights.map(\.name) == weights.names && weights.first?.name == "a")
    #expect(weights.indices.allSatisfy { weights[$0].tensor.shape == weights.tensors[$0].shape })
    #expect(weights.filter { $0.tensor.rank == 1 }.names == ["b"])
  }
}
