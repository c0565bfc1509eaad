import Checkpoints
import Merging
import TestSupport
import Testing
import Torch
import Weights

/// The result of another library and ours on the same models: mergekit's and FusionBench's.
@Suite struct MergeOracleTests {
  /// A merge that a fixture has the result of; FusionBench's all merge three models on a base.
  struct Case: Decodable {
    let method: String
    let parameters: [String: Values]
    let models: Int?
    let base: Bool?
  }

  /// A number, true or false, or a number for each model.
  struct Values: Decodable {
    let values: [Double]

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let flag = try? container.decode(Bool.self) {
        values = [flag ? 1 : 0]
      } else if let number = try? container.decode(Double.self) {
        values = [number]
      } else {
        values = try container.decode([Double].self)
      }
    }
  }

  private static func result(_ test: Case, _ fixture: Fixture, _ dtype: DType) throws -> Weights {
    let method = try MergeMethod.named(test.method)
    let models = try (0..<(test.models ?? 3)).map { try fixture.part("model.\($0)/").to(dtype) }
    let settings = try MergeSettings(test.parameters.mapValues(\.values), for: method, models: models.count)
    let base = test.base ?? true ? try fixture.part("base/").to(dtype) : nil
    return try merge(models, base: base, method: method, settings: settings)
  }

  @Test(arguments: ["merging", "fusion"]) func everyMethodGivesTheirResult(_ library: String) throws {
    let fixture = try Fixture(library)
    let cases: [String: Case] = try fixture.setting("cases")
    for (name, test) in cases {
      let found = try deviations(Self.result(test, fixture, .float32), fixture.part("f32/\(name)/"), tolerance: 1e-6)
      #expect(found.isEmpty, "\(name): \(found)")
    }
  }

  /// bfloat16 is widened, merged, and rounded once: at most half a unit in the last place from float32's result.
  @Test(arguments: ["merging", "fusion"]) func bfloat16IsRoundedOnce(_ library: String) throws {
    let fixture = try Fixture(library)
    let cases: [String: Case] = try fixture.setting("cases")
    for (name, test) in cases {
      let merged = try Self.result(test, fixture, .bfloat16)
      for (key, tensor) in merged {
        #expect(tensor.dtype == .bfloat16)
        let ours = try tensor.array(Double.self)
        for (value, exact) in try zip(ours, fixture["bf16/\(name)/\(key)"].array(Double.self)) {
          #expect(abs(value - exact) <= abs(exact) / 256 + 1e-6, "\(name) \(key): \(value), not \(exact)")
        }
      }
    }
  }

  /// Every method is compared with one of the two libraries.
  @Test func everyMethodHasAnOracle() throws {
    let cases: [[String: Case]] = try ["merging", "fusion"].map { try Fixture($0).setting("cases") }
    #expect(Set(cases.flatMap(\.values).map(\.method)) == Set(MergeMethod.all.map(\.name)))
  }

  /// Mean and variance of every element over many draws.
  @Test func randomMethodsHaveMergekitsDistribution() throws {
    let fixture = try Fixture("merging")
    let cases: [String: [String: Values]] = try fixture.setting("random")
    let theirDraws: Double = try fixture.setting("draws")
    #expect(Set(cases.keys) == Set(MergeMethod.all.filter(\.isRandom).map(\.name)))
    let draws = 400
    let models = (0..<3).map { fixture.part("model.\($0)/").select("weight") }
    let base = fixture.part("base/").select("weight")
    for (name, parameters) in cases {
      let method = try MergeMethod.named(name)
      let settings = try MergeSettings(parameters.mapValues(\.values), for: method, models: 3)
      let results = try Tensor.stack(
        (0..<draws).map { seed in
          try merge(models, base: base, method: method, settings: settings, seed: UInt64(seed)).tensors[0].to(.float64)
        })
      let means = try results.mean([0]).array(Double.self)
      let variances = try results.variance([0]).array(Double.self)
      let (mean, variance) = try (
        fixture["random/\(name)/mean"].array(Double.self), fixture["random/\(name)/variance"].array(Double.self)
      )
      for index in mean.indices {
        let error = (variance[index] * (1 / Double(draws) + 1 / theirDraws)).squareRoot()
        #expect(abs(means[index] - mean[index]) < 5 * error + 1e-6, "\(name), element \(index)")
      }
      let ratio = variances.reduce(0, +) / variance.reduce(0, +)
      #expect(abs(ratio - 1) < 0.1, "\(name): variance \(ratio) × mergekit's")
    }
  }
}
