import Checkpoints
import Merging
import Support
import TestSupport
import Testing
import Torch
import Weights

@Suite struct LinearMergeTests {
  private static func model(_ seed: UInt64, _ dtype: DType = .float32) throws -> Weights {
    let generator = try Generator(seed: seed)
    return try Weights([
      ("weight", Tensor.normal([5, 7], generator: generator).to(dtype)),
      ("bias", Tensor.normal([5], generator: generator).to(dtype)),
      ("num_batches_tracked", Tensor([Int64(10 * seed + 1)], shape: [])),
    ])
  }

  @Test(arguments: [DType.float32, .float64, .bfloat16, .float16])
  func aCoefficientOfOneGivesThatModelBitForBit(_ dtype: DType) throws {
    let (a, b) = try (Self.model(1, dtype), Self.model(2, dtype))
    #expect(try linearMerge([a, b], coefficients: [1, 0]).isIdentical(to: a))
    #expect(try linearMerge([a, b], coefficients: [0, 1]).isIdentical(to: b))
    // Also where the other holds what arithmetic would not forget.
    var broken = b
    broken["bias"] = try Tensor.full([5], .nan, dtype: dtype)
    #expect(try linearMerge([a, broken], coefficients: [1, 0]).isIdentical(to: a))
  }

  @Test func isTheWeightedSumInFloat64() throws {
    let models = try (1...3).map { try Self.model($0) }
    let coefficients = [0.2, -0.3, 1.1]
    let merged = try linearMerge(models, coefficients: coefficients)
    for name in ["weight", "bias"] {
      var sum = [Double](repeating: 0, count: try #require(merged[name]).count)
      for (model, coefficient) in zip(models, coefficients) {
        for (index, value) in try #require(model[name]).array(Double.self).enumerated() {
          sum[index] += coefficient * value
        }
      }
      let expected = try Tensor(sum, shape: #require(merged[name]).shape)
      #expect(try relativeError(#require(merged[name]), expected) < 1e-6)
    }
  }

  @Test func theOrderOfTheModelsDoesNotMatter() throws {
    let (a, b) = try (Self.model(1), Self.model(2))
    #expect(
      try linearMerge([a, b], coefficients: [0.25, 0.75]).isIdentical(
        to: linearMerge([b, a], coefficients: [0.75, 0.25])))
  }

  /// The names' order is the first model's; the others may have another.
  @Test func tensorsAreMatchedByName() throws {
    let (a, b) = try (Self.model(1), Self.model(2))
    let shuffled = Weights(b.reversed())
    let merged = try linearMerge([a, shuffled], coefficients: [0.5, 0.5])
    #expect(merged.names == a.names)
    #expect(try merged.isIdentical(to: linearMerge([a, b], coefficients: [0.5, 0.5])))
  }

  /// Terms rounded one by one, or a sum kept in bfloat16, give other values for some of these.
  @Test func halfPrecisionIsRoundedOnce() throws {
    let models = try (1...4).map { try Self.model($0, .bfloat16) }
    let coefficients = [0.1, 0.2, 0.3, 0.4]
    let merged = try #require(try linearMerge(models, coefficients: coefficients)["weight"])
    let exact = try linearMerge(models.map { try $0.to(.float64) }, coefficients: coefficients)
    #expect(merged.dtype == .bfloat16)
    #expect(try merged.isIdentical(to: #require(exact["weight"]).to(.bfloat16)))
    var stepwise = try Tensor.zeros([5, 7], dtype: .bfloat16)
    for (model, coefficient) in zip(models, coefficients) {
      stepwise = try stepwise + (#require(model["weight"]) * coefficient)
    }
    #expect(try !merged.isIdentical(to: stepwise))
  }

  @Test func integersAreAveragedAndRounded() throws {
    func value(_ coefficients: [Double]) throws -> Int {
      let merged = try linearMerge([Self.model(1), Self.model(2)], coefficients: coefficients)
      let tensor = try #require(merged["num_batches_tracked"])
      #expect(tensor.dtype == .int64)
      return try tensor.intItem()
    }
    #expect(try value([0.5, 0.5]) == 16)
    #expect(try value([0.66, 0.34]) == 14)  // 14.4
    #expect(try value([0.64, 0.36]) == 15)  // 14.6
  }

  @Test func theModelsAreLeftAlone() throws {
    let (a, b) = try (Self.model(1), Self.model(2))
    let copies = try (a.clone(), b.clone())
    let merged = try linearMerge([a, b], coefficients: [1, 0])
    for tensor in merged.tensors { try tensor.zero() }
    #expect(try a.isIdentical(to: copies.0))
    #expect(try b.isIdentical(to: copies.1))
  }

  @Test func everyMismatchIsListed() throws {
    let a = try Self.model(1)
    var b = try Self.model(2)
    b["weight"] = try .zeros([7, 5])
    b["bias"] = nil
    b["head"] = try .zeros([2])
    b["num_batches_tracked"] = try .zeros([])
    #expect {
      _ = try linearMerge([a, b], coefficients: [0.5, 0.5])
    } throws: { error in
      let text = String(describing: error)
      return error is FileError
        && [
          "weight is [7, 5] float32, expected [5, 7] float32", "bias [5] float32 is missing",
          "head [2] float32 is not expected", "num_batches_tracked is [] float32, expected [] int64",
        ].allSatisfy(text.contains)
    }
  }

  @Test func modelsAndCoefficientsMustPair() throws {
    let a = try Self.model(1)
    for (models, coefficients) in [([], []), ([a, a], [1.0])] {
      let error = #expect(throws: MergeError.self) { try linearMerge(models, coefficients: coefficients) }
      #expect(
        "\(try #require(error))"
          == "\(models.count) models and \(coefficients.count) coefficients: one coefficient a model is needed")
    }
  }
}
