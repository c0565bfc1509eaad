import Checkpoints
import MergeKernels
import TestSupport
import Testing
import Torch
import Weights

@testable import Merging

/// Every streaming method against its formula over plain tensors, in float64.
@Suite struct TensorFormTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var method: String
    var values: [String: [Double]] = [:]
    var models = 3
    var hasBase = true

    var testDescription: String { "\(method) \(values)" }
  }

  private static let cases: [Case] = [
    Case(method: "linear", values: ["weight": [0.5, -0.25, 2]], hasBase: false),
    Case(method: "linear", values: ["weight": [3, 0, 1], "normalize": [0]], hasBase: false),
    Case(method: "passthrough", values: ["scale": [0.75]], models: 1, hasBase: false),
    Case(method: "slerp", values: ["t": [0.3]], models: 2, hasBase: false),
    Case(method: "nuslerp", values: ["weight": [1, 3]], models: 2, hasBase: false),
    Case(method: "nuslerp", values: ["weight": [1, 3], "nuslerp_flatten": [0]], models: 2),
    Case(method: "nuslerp", values: ["nuslerp_flatten": [0], "nuslerp_row_wise": [1]], models: 2),
    Case(method: "multislerp", values: ["weight": [1, 2, 0.5]]),
    Case(method: "multislerp", values: ["normalize_weights": [0]], hasBase: false),
    Case(method: "karcher", values: ["max_iter": [40], "tol": [1e-9]], hasBase: false),
    Case(method: "model_stock"), Case(method: "model_stock", values: ["filter_wise": [1]]),
    Case(method: "task_arithmetic", values: ["weight": [0.5, 0.25, -1], "lambda": [0.7]]),
    Case(method: "task_arithmetic", values: ["weight": [0.5, 0.25, 1], "normalize": [1]]),
    Case(method: "ties", values: ["density": [0.2, 0.5, 0.9], "weight": [1, 0.5, 2], "lambda": [0.3]]),
    Case(method: "ties", values: ["density": [0.4], "normalize": [0], "rescale": [1]], models: 2),
    Case(method: "dare_linear", values: ["density": [0.3]]),
    Case(method: "dare_ties", values: ["density": [0.6], "rescale": [0]]),
    Case(method: "della", values: ["density": [0.4], "lambda": [0.8]]),
    Case(method: "della_linear", values: ["density": [0.5], "epsilon": [0.3]], models: 2),
    Case(method: "breadcrumbs", values: ["density": [0.5], "gamma": [0.1]]),
    Case(method: "breadcrumbs_ties", values: ["density": [0.3], "gamma": [0.2], "rescale": [1]]),
    Case(method: "sce"), Case(method: "sce", values: ["select_topk": [0.3]]),
    Case(method: "sce", values: ["select_topk": [0.6]], models: 2),
    Case(method: "ram", values: ["epsilon": [0.4]]),
    Case(method: "ramplus_tl", values: ["epsilon": [0.6], "r": [0.5], "alpha": [0.9]]),
    Case(method: "arcee_fusion", models: 1),
  ]

  /// Two steps of coarseness: coarse numbers have many equals and zeros among their differences.
  private static func model(_ seed: UInt64, isCoarse: Bool) throws -> Weights {
    let generator = try Generator(seed: seed)
    return try Weights(
      [("matrix", [17, 23]), ("kernel", [5, 4, 2, 6]), ("vector", [29])].map { name, shape in
        let values = try Tensor.normal(shape, generator: generator).to(.float64)
        return (name, try isCoarse ? (values * 2.0).round() / 2 : values)
      })
  }

  /// The same random numbers as the method draws: an element alone is kept as it is among others.
  private static func chance(_ name: String, _ models: [Tensor], seed: UInt64) throws -> TensorForms.Chance {
    let inputs = try MergeInputs(
      name: name, models: models.map { try TensorSource($0) }, seed: seed, workspace: Workspace())
    return { model, probability in
      let kept = try probability.flatten().array(Double.self).enumerated().map { index, probability in
        var one = 1.0
        inputs.kernels.pointee.drop(&one, probability, inputs.randomKey(model: model), UInt64(index), 1)
        return one
      }
      return try Tensor(kept, shape: probability.shape)
    }
  }

  @Test(arguments: cases, [false, true]) func kernelsGiveTheFormula(_ test: Case, _ isCoarse: Bool) throws {
    let form = try #require(TensorForms.all[test.method])
    let method = try MergeMethod.named(test.method)
    let models = try (1...test.models).map { try Self.model(UInt64($0), isCoarse: isCoarse) }
    let base = try test.hasBase ? Self.model(9, isCoarse: isCoarse) : nil
    let settings = try MergeSettings(test.values, for: method, models: models.count)
    let merged = try merge(models, base: base, method: method, settings: settings, seed: 5)
    for name in merged.names {
      let tensors = models.compactMap { $0[name] }
      let expected = try form(tensors, base?[name], settings, Self.chance(name, tensors, seed: 5))
      #expect(try relativeError(#require(merged[name]), expected) < 1e-12, "\(name)")
    }
  }

  /// The task vectors of all tensors together, of equals at the boundary all.
  @Test(arguments: [false, true]) func tiesOverTheWholeModel(_ isCoarse: Bool) throws {
    let models = try [1, 2].map { try Self.model($0, isCoarse: isCoarse) }
    let base = try Self.model(9, isCoarse: isCoarse)
    let method = try MergeMethod.named("ties")
    let settings = try MergeSettings(["scope": [1], "density": [0.3, 0.7]], for: method, models: 2)
    let merged = try merge(models, base: base, method: method, settings: settings)
    let deltas = try models.map { try $0 - base }
    let limits = try zip(deltas, [0.3, 0.7]).map { delta, density in
      let all = try Tensor.concatenate(delta.tensors.map { try $0.flatten().abs() }).sorted(descending: true).values
      return try all.array(Double.self)[Int(density * Double(delta.elementCount)) - 1]
    }
    for name in merged.names {
      let start = try #require(base[name])
      let kept = try zip(deltas, limits).map { delta, limit in
        let delta = try #require(delta[name])
        return try delta * delta.abs().greaterOrEqual(limit).to(.float64)
      }
      let expected = try TensorForms.elected(kept, start, settings)
      #expect(try relativeError(#require(merged[name]), expected) < 1e-12, "\(name)")
    }
  }

  /// Methods that decompose matrices and elementwise ones are written over tensors themselves.
  @Test func everyStreamingMethodHasAForm() throws {
    let streaming = try MergeMethod.all.filter { method in
      let given: [String: [Double]] = method.parameters.contains { $0.name == "t" } ? ["t": [0.5]] : [:]
      return try !method.traits.contains(.elementwise)
        && !method.needsWhole([8, 8], MergeSettings(given, for: method, models: method.minimumModels))
    }
    #expect(Set(TensorForms.all.keys) == Set(streaming.map(\.name)))
    #expect(Set(Self.cases.map(\.method)) == Set(TensorForms.all.keys))
  }
}
