import Checkpoints
import Merging
import Testing
import Torch
import Weights

/// Tensors so large that a sample leads to the element of a rank: what sorting finds, whatever the distribution.
@Suite struct MagnitudesTests {
  private static let count = 262_201

  private static func trimmed(
    _ values: [Float], _ dtype: DType, _ name: String, _ given: [String: [Double]]
  ) throws -> [Float] {
    let method = try MergeMethod.named(name)
    let model = try Weights([("w", Tensor(values).to(dtype))])
    let base = try Weights([("w", Tensor.zeros([values.count], dtype: dtype))])
    let settings = try MergeSettings(given, for: method, models: 1)
    let merged = try merge([model], base: base, method: method, settings: settings)
    return try #require(merged["w"]).array(Float.self)
  }

  /// Smooth; few values, each many times; mostly zeros; one value alone; sorted, so that a sample's pieces differ; all
  /// of the large ones in one place that the sample may miss.
  private static let distributions: [[Float]] = [
    (0..<count).map { Float($0 * 7919 % 300_007) - 150_000 }, (0..<count).map { Float($0 * 7919 % 37 - 18) / 16 },
    (0..<count).map { $0 % 9 == 0 ? Float($0) : 0 }, [Float](repeating: -2, count: count),
    (0..<count).map { Float($0) }, (0..<count).map { (4000..<5000).contains($0) ? Float($0) : 1 },
  ]

  /// Positions by magnitude; of equals the first first.
  private static func order(_ values: [Float], descending: Bool) throws -> [Int] {
    try Tensor(values).abs().sorted(descending: descending).indices.array(Int64.self).map { Int($0) }
  }

  /// Few of the largest distribution too, for which digits are counted without a sample.
  @Test(arguments: [DType.float32, .float64]) func theLargestAreKept(_ dtype: DType) throws {
    for (index, values) in (Self.distributions + [Array(Self.distributions[0].prefix(1001))]).enumerated() {
      let order = try Self.order(values, descending: true)
      for density in [0.001, 0.5, 0.9] {
        var expected = [Float](repeating: 0, count: values.count)
        for place in order.prefix(Int(density * Double(values.count))) { expected[place] = values[place] }
        #expect(try Self.trimmed(values, dtype, "ties", ["density": [density]]) == expected, "distribution \(index)")
      }
    }
  }

  @Test(arguments: [DType.float32, .float64]) func outliersAreLeftOut(_ dtype: DType) throws {
    for (index, values) in Self.distributions.enumerated() {
      let order = try Self.order(values, descending: false)
      let (kept, outliers) = (Int(0.3 * Double(values.count)), Int(0.1 * Double(values.count)))
      var expected = [Float](repeating: 0, count: values.count)
      for place in order.dropLast(outliers).suffix(kept) { expected[place] = values[place] }
      let result = try Self.trimmed(values, dtype, "breadcrumbs", ["density": [0.3], "gamma": [0.1]])
      #expect(result == expected, "distribution \(index)")
    }
  }

  /// Three models, of which the first is what varies: the variance is a matter of its task vector's magnitude alone.
  @Test(arguments: [DType.float32, .float64]) func whatVariesMostIsKept(_ dtype: DType) throws {
    for (index, values) in Self.distributions.enumerated() {
      let order = try Self.order(values, descending: true)
      let nonzero = values.count { $0 != 0 }
      for part in [0.001, 0.5, 0.9] {
        let kept = Set(order.prefix(Int(part * Double(nonzero))))
        let method = try MergeMethod.named("sce")
        let zeros = [Float](repeating: 0, count: values.count)
        let models = try [values, zeros, zeros].map { try Weights([("w", Tensor($0).to(dtype))]) }
        let settings = try MergeSettings(["select_topk": [part]], for: method, models: 3)
        let merged = try merge(models, base: models[1], method: method, settings: settings)
        let result = try #require(merged["w"]).array(Float.self)
        // All the energy is the first model's, so that it is taken as it is.
        let isKept = result.indices.allSatisfy { result[$0] == (kept.contains($0) ? values[$0] : 0) }
        #expect(isKept, "distribution \(index), \(part)")
      }
    }
  }
}
