import Checkpoints
import TestSupport
import Testing
import Torch
import Weights

@Suite struct WeightsTests {
  /// A point with every kind of entry; equal seeds give equal points.
  static func point(_ seed: UInt64, scale: Double = 1) throws -> Weights {
    let generator = try Generator(seed: seed)
    return try Weights([
      ("conv.weight", Tensor.normal([4, 3, 3, 3], generator: generator) * scale),
      ("fc.weight", Tensor.normal([5, 4], generator: generator, dtype: .float64) * scale),
      ("fc.bias", (Tensor.normal([5], generator: generator) * scale).to(.bfloat16)),
      ("num_batches_tracked", Tensor(scalar: Int64(seed))),
      ("empty", Tensor.zeros([0, 3])),
    ])
  }

  private static func flat(_ weights: Weights) throws -> [Double] {
    try weights.tensors.flatMap { try $0.array(Double.self) }
  }

  @Test func arithmeticWorksElementByElement() throws {
    let (a, b) = (try Self.point(3), try Self.point(8))
    let copies = (try a.clone(), try b.clone())
    let results: [(String, Weights, (Double, Double) -> Double)] = try [
      ("a + b", a + b, { $0 + $1 }), ("a - b", a - b, { $0 - $1 }), ("2a", 2 * a, { x, _ in 2 * x }),
      ("(1-t)a + tb", 0.75 * a + 0.25 * b, { 0.75 * $0 + 0.25 * $1 }), ("a + 2(b-a)", a + 2 * (b - a), { 2 * $1 - $0 }),
      ("at 0.25", a.interpolated(to: b, at: 0.25), { 0.75 * $0 + 0.25 * $1 }),
      ("at 0.5", a.interpolated(to: b, at: 0.5), { 0.5 * $0 + 0.5 * $1 }),
      ("at -1", a.interpolated(to: b, at: -1), { 2 * $0 - $1 }),
      ("at 2", a.interpolated(to: b, at: 2), { 2 * $1 - $0 }),
    ]
    for (name, result, formula) in results {
      #expect(result.names == a.names && result.layoutDifferences(from: a) == [], "\(name)")
      for (key, tensor) in result where tensor.dtype.isFloatingPoint && tensor.count > 0 {
        let expected = try zip(a[key]!.array(Double.self), b[key]!.array(Double.self)).map(formula)
        let error = try relativeError(tensor, Tensor(expected, shape: tensor.shape))
        #expect(error < (tensor.dtype == .bfloat16 ? 1e-2 : 1e-6), "\(name) of \(key) deviates by \(error)")
      }
      for tensor in result.tensors where tensor.count > 0 { try tensor.zero() }
      #expect(try a.isIdentical(to: copies.0) && b.isIdentical(to: copies.1), "\(name) shares memory")
    }
  }

  @Test func integerEntriesAreRounded() throws {
    func count(_ value: Int64) throws -> Weights { Weights([("n", try Tensor(scalar: value))]) }
    let (a, b) = (try count(3), try count(8))
    let table: [(Weights, Int)] = try [
      (a + b, 11), (a - b, -5), (0.4 * a, 1), (0.6 * a, 2), (a.interpolated(to: b, at: 0.25), 4),
      (a.interpolated(to: b, at: 0.75), 7), (count(1 << 60 + 1).interpolated(to: a, at: 0), 1 << 60 + 1),
    ]
    for (result, expected) in table { #expect(try result["n"]?.intItem() == expected) }
  }

  @Test func theEndsOfAnInterpolationAreExact() throws {
    var (a, b) = (try Self.point(1, scale: 1e-3), try Self.point(2, scale: 1e6))
    let special = [-0.0, 0, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, 3e38] as [Float]
    a["special"] = try Tensor(special)
    b["special"] = try Tensor(special.reversed())
    for (alpha, end) in [(0.0, a), (1.0, b)] {
      let result = try a.interpolated(to: b, at: alpha)
      #expect(result.names == a.names)
      for name in a.names {
        #expect(try bytes(#require(result[name])) == bytes(#require(end[name])), "\(name) at \(alpha)")
      }
      try result["special"]?.zero()
    }
    #expect(try a["special"]?.array(Float.self)[2] == .infinity, "the end shares memory with the result")
  }

  @Test func arithmeticIsNotRecordedForDifferentiation() throws {
    let a = try Self.point(1)
    try a["conv.weight"]?.setRequiresGradient(true)
    for result in try [a + a, 2 * a, a.interpolated(to: a, at: 0.3), a.interpolated(to: a, at: 1), a.clone()] {
      #expect(try #require(result["conv.weight"]).requiresGradient == false)
    }
  }

  @Test func productsAndNormsAreAccumulatedInFloat64() throws {
    let (a, b) = (try Self.point(4), try Self.point(5))
    let (x, y) = (try Self.flat(a.floating), try Self.flat(b.floating))
    let dot = zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
    #expect(try abs(a.dot(b) - dot) < 1e-12)
    #expect(try abs(a.norm() - x.reduce(0) { $0 + $1 * $1 }.squareRoot()) < 1e-12)
    // In float32 the ones would vanish beside 2²⁴, and the squares would exceed 3.4e38.
    let wide = Weights([("w", try Tensor([4096, 1, 1, 1] as [Float])), ("v", try Tensor([1e30] as [Float]))])
    #expect(try wide.select("w").dot(wide.select("w")) == 0x1p24 + 3)
    #expect(try abs(wide.norm() / 1e30 - 1) < 1e-6)
    #expect(try Weights().norm() == 0)
  }

  @Test func emptyAndIntegerPointsTakePartInArithmetic() throws {
    let counters = Weights([("n", try Tensor([1, 2] as [Int64]))])
    for point in [Weights(), counters] {
      #expect(try (point + 2 * point).names == point.names)
      #expect(try point.interpolated(to: point, at: 0.5).isIdentical(to: point))
    }
    #expect(try (counters + counters)["n"]?.array(Int64.self) == [2, 4])
  }

  @Test(arguments: [
    ("layer1.*", ["layer1.0.conv1.weight", "layer1.1.bn1.bias"]), ("*.bias", ["layer1.1.bn1.bias", "fc.bias"]),
    ("layer?.0.*", ["layer1.0.conv1.weight", "layer2.0.bn"]), ("fc.bias", ["fc.bias"]), ("fc", []), ("?", []), ("", []),
    ("*", ["layer1.0.conv1.weight", "layer1.1.bn1.bias", "layer2.0.bn", "fc.bias"]),
    ("*.*.*.bias", ["layer1.1.bn1.bias"]),
    ("**b*n*", ["layer1.1.bn1.bias", "layer2.0.bn"]),
  ])
  func patternsSelectInOrder(_ pattern: String, _ expected: [String]) throws {
    let names = ["layer1.0.conv1.weight", "layer1.1.bn1.bias", "layer2.0.bn", "fc.bias"]
    #expect(Weights(try names.map { ($0, try Tensor.zeros([1])) }).select(pattern).names == expected)
  }

  @Test func everyDifferenceInLayoutIsListed() throws {
    let a = try Self.point(1)
    var b = try Self.point(2)
    #expect(a.layoutDifferences(from: b) == [])
    b["fc.bias"] = nil
    b["fc.weight"] = try .zeros([4, 5], dtype: .float64)
    b["empty"] = try .zeros([0, 3], dtype: .float16)
    b["extra"] = try .zeros([1])
    let expected = [
      "fc.weight is [4, 5] float64, expected [5, 4] float64", "fc.bias [5] bfloat16 is missing",
      "empty is [0, 3] float16, expected [0, 3] float32", "extra [1] float32 is not expected",
    ]
    #expect(a.layoutDifferences(from: b) == expected)
    for operation in [{ _ = try a + b }, { _ = try a.dot(b) }, { _ = try a.interpolated(to: b, at: 0) }]
      as [() throws -> Void]
    {
      #expect { try operation() } throws: { error in expected.allSatisfy(String(describing: error).contains) }
    }
  }

  @Test func pointsAreComparedAndCopied() throws {
    let a = try Self.point(1)
    let copy = try a.clone()
    #expect(try copy.isIdentical(to: a) && a.isFinite())
    try copy["fc.bias"]?.fill(.nan)
    #expect(try !copy.isIdentical(to: a) && a.isFinite() && !copy.isFinite())
    #expect(try !Weights(a.reversed()).isIdentical(to: a), "the order counts")
    let half = try a.to(.float16)
    #expect(half["fc.weight"]?.dtype == .float16 && half["num_batches_tracked"]?.dtype == .int64)
    #expect(a.elementCount == 108 + 20 + 5 + 1 && a.floating.count == 4 && a.count == 5)
  }
}
