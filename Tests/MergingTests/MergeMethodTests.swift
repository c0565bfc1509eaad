import Checkpoints
import Merging
import Support
import TestSupport
import Testing
import Torch
import Weights

@Suite struct MergeMethodTests {
  private static func model(_ seed: UInt64) throws -> Weights {
    let generator = try Generator(seed: seed)
    return try Weights([
      ("weight", Tensor.normal([8, 6], generator: generator)),
      ("bias", Tensor.normal([8], generator: generator)),
      ("num_batches_tracked", Tensor([Int64(10 * seed)], shape: [])),
    ])
  }

  private static func merged(
    _ name: String, _ models: [Weights], base: Weights?, _ values: [String: [Double]] = [:], seed: UInt64 = 0
  ) throws -> Weights {
    let method = try MergeMethod.named(name)
    let settings = try MergeSettings(values, for: method, models: models.count)
    return try merge(models, base: base, method: method, settings: settings, seed: seed)
  }

  @Test(arguments: ["dare_linear", "della_linear", "breadcrumbs"])
  func densityOneIsTaskArithmetic(_ name: String) throws {
    let (base, models) = try (Self.model(9), [Self.model(1), Self.model(2)])
    let expected = try Self.merged("task_arithmetic", models, base: base, ["weight": [0.5, 0.3]])
    let full = try Self.merged(name, models, base: base, ["weight": [0.5, 0.3], "density": [1]])
    #expect(try full.isIdentical(to: expected))
    let half = try Self.merged(name, models, base: base, ["weight": [0.5, 0.3], "density": [0.5]])
    #expect(try !half.isIdentical(to: expected))
  }

  @Test func oneModelOfWeightOneIsItself() throws {
    let (base, model) = try (Self.model(9), Self.model(1))
    // These are for taking part of a model, or more than it.
    for method in MergeMethod.all
    where method.minimumModels == 1 && !["nearswap", "arcee_fusion", "expo"].contains(method.name) {
      let merged = try Self.merged(method.name, [model], base: method.base == .none ? nil : base)
      #expect(try deviations(merged, model, tolerance: 1e-6).isEmpty, "\(method.name)")
    }
  }

  @Test func slerpEndsAtItsModelsAndKeepsTheNorm() throws {
    let (a, b) = try (Self.model(1), Self.model(2))
    let (first, last) = try (
      Self.merged("slerp", [a, b], base: nil, ["t": [0]]), Self.merged("slerp", [a, b], base: nil, ["t": [1]])
    )
    #expect(try deviations(first.floating, a.floating, tolerance: 1e-7).isEmpty)
    #expect(try deviations(last.floating, b.floating, tolerance: 1e-7).isEmpty)
    let onSphere = try b.mapTensors { name, tensor in
      guard tensor.dtype.isFloatingPoint, let peer = a[name] else { return tensor }
      return try tensor * (peer.norm().item() / tensor.norm().item())
    }
    let middle = try #require(Self.merged("slerp", [a, onSphere], base: nil, ["t": [0.4]])["weight"])
    #expect(try abs(middle.norm().item() / #require(a["weight"]).norm().item() - 1) < 1e-5)
  }

  @Test func theOrderOfTheModelsDoesNotMatter() throws {
    let (base, models) = try (Self.model(9), (1...3).map { try Self.model($0) })
    for method in MergeMethod.all where !method.isRandom && method.maximumModels == nil {
      let start = method.base == .none ? nil : base
      let forth = try Self.merged(method.name, models, base: start)
      let back = try Self.merged(method.name, models.reversed(), base: start)
      #expect(try deviations(forth, back, tolerance: 1e-6).isEmpty, "\(method.name)")
    }
  }

  /// The mask of a tensor depends on the seed and its name alone.
  @Test func randomnessBelongsToTheTensorsName() throws {
    let (base, a) = try (Self.model(9), Self.model(1))
    let values = ["density": [0.5]]
    let merged = try Self.merged("dare_linear", [a], base: base, values)
    let alone = try Self.merged("dare_linear", [a.select("bias")], base: base.select("bias"), values)
    #expect(try alone.isIdentical(to: merged.select("bias")))
    #expect(try Self.merged("dare_linear", [a], base: base, values).isIdentical(to: merged))
    #expect(try !Self.merged("dare_linear", [a], base: base, values, seed: 1).isIdentical(to: merged))
    // Two models of the same weights do not lose the same elements.
    let twice = try Self.merged("dare_linear", [a, a], base: base, values)
    let doubled = try Self.merged("dare_linear", [a], base: base, ["density": [0.5], "weight": [2]])
    #expect(try !twice.isIdentical(to: doubled))
  }

  /// What DARE keeps is scaled by one factor, up to the L1 norm of the whole.
  @Test func dareKeepsTheNorm() throws {
    let (base, a) = try (Self.model(9), Self.model(1))
    let merged = try Self.merged("dare_linear", [a], base: base, ["density": [0.5]])
    let start = try #require(base["weight"])
    let (delta, kept) = try (#require(a["weight"]) - start, #require(merged["weight"]) - start)
    #expect(try abs(kept.norm(1).item() / delta.norm(1).item() - 1) < 1e-5)
    let ratios = try zip(kept.array(Double.self), delta.array(Double.self)).map { $0 / $1 }.filter { abs($0) > 1e-3 }
    #expect((8...40).contains(ratios.count))
    #expect(ratios.allSatisfy { abs($0 - ratios[0]) < 1e-3 })
  }

  @Test func theModelsAreLeftAlone() throws {
    let (base, models) = try (Self.model(9), [Self.model(1), Self.model(2)])
    let copies = try models.map { try $0.clone() }
    for method in MergeMethod.all {
      let needsPlace = method.parameters.contains { $0.name == "t" }
      let merged = try Self.merged(
        method.name, Array(models.prefix(method.maximumModels ?? 2)), base: method.base == .none ? nil : base,
        needsPlace ? ["t": [0.5]] : [:])
      for tensor in merged.tensors { try tensor.zero() }
    }
    for (model, copy) in zip(models, copies) { #expect(try model.isIdentical(to: copy)) }
    #expect(try base.isIdentical(to: Self.model(9)))
  }

  @Test(arguments: [
    ("ties", ["density": "1.5"], 2, "density is 1.5; it must be a number within 0 … 1"),
    ("ties", ["density": "0.5,half"], 2, "density is \"0.5,half\""), ("ties", ["density": "nan"], 2, "density is nan"),
    ("ties", ["densty": "0.5"], 2, "no parameter densty; it has weight, density"),
    ("ties", ["weight": "1,2,3"], 2, "weight has 3 values for 2 models"),
    ("ties", ["lambda": "1,2"], 2, "lambda has 2 values; it takes one"),
    ("ties", ["normalize": "yes"], 2, "must be true or false"), ("slerp", [:], 2, "slerp needs t"),
    ("della", ["density": "0.9"], 2, "choose a smaller epsilon"), ("linear", ["weight": "1,-1"], 2, "sum to 0"),
    ("karcher", ["max_iter": "1.5"], 2, "max_iter is 1.5; it must be a whole number, at least 0"),
  ])
  func wrongSettingsAreNamed(_ name: String, _ texts: [String: String], _ models: Int, _ message: String) throws {
    let method = try MergeMethod.named(name)
    #expect {
      _ = try MergeSettings(texts: texts, for: method, models: models)
    } throws: { String(describing: $0).contains(message) && $0 is MergeError }
  }

  @Test func wrongInputsAreNamed() throws {
    let (a, b) = try (Self.model(1), Self.model(2))
    func message(_ body: () throws -> Void) -> String {
      do { try body() } catch { return "\(type(of: error)): \(error)" }
      return "no error"
    }
    let unknown = message { _ = try MergeMethod.named("tiess") }
    #expect(unknown.hasPrefix("MergeError: there is no merge method tiess; there are linear,"))
    #expect(unknown.hasSuffix("; did you mean ties?"))
    #expect(
      message { _ = try Self.merged("ties", [a, b], base: nil) }
        == "MergeError: ties needs the base: the weights that the models were fine-tuned from")
    #expect(
      message { _ = try Self.merged("karcher", [a, b], base: a) }
        == "MergeError: karcher uses no base; leave it out or list it as a model")
    #expect(
      message { _ = try Self.merged("slerp", [a, b, a], base: nil, ["t": [0.5]]) }
        == "MergeError: slerp takes 2 models; there are 3")
    #expect(
      message { _ = try Self.merged("model_stock", [a], base: b) }
        == "MergeError: model_stock takes 2 or more models besides the base; there is 1")
    let layout = message { _ = try Self.merged("ties", [a, b.select("bias")], base: a) }
    #expect(layout.hasPrefix("FileError: ") && layout.contains("weight [8, 6] float32 is missing"))
  }
}
