import Foundation
import TestSupport
import Testing
import Torch

/// Compares the operators without a fixture with plain Swift. An operator's name is looked up when it runs, so each
/// must run once.
@Suite struct PlainOperatorTests {
  @Test func functionsOfEachElement() throws {
    let numbers = [0.1, 0.25, 0.5, 0.9]
    let x = try Tensor(numbers)
    let table: [(String, (Tensor) throws -> Tensor, (Double) -> Double)] = [
      ("neg", { try -$0 }, { -$0 }), ("abs", { try (-$0).abs() }, { $0 }), ("sign", { try $0.sign() }, { _ in 1 }),
      ("exp", { try $0.exp() }, { exp($0) }), ("log", { try $0.log() }, { log($0) }),
      ("sqrt", { try $0.sqrt() }, { $0.squareRoot() }), ("rsqrt", { try $0.rsqrt() }, { 1 / $0.squareRoot() }),
      ("square", { try $0.square() }, { $0 * $0 }), ("reciprocal", { try $0.reciprocal() }, { 1 / $0 }),
      ("sin", { try $0.sin() }, { sin($0) }), ("cos", { try $0.cos() }, { cos($0) }),
      ("acos", { try $0.acos() }, { acos($0) }), ("power", { try $0.power(3) }, { pow($0, 3) }),
      ("floor", { try (3 * $0).floor() }, { floor(3 * $0) }), ("ceil", { try (3 * $0).ceil() }, { ceil(3 * $0) }),
      ("round", { try (3 * $0).round() }, { (3 * $0).rounded(.toNearestOrEven) }),
      ("maximum", { try $0.maximum($0.square() * 3) }, { max($0, 3 * $0 * $0) }),
      ("minimum", { try $0.minimum($0.square() * 3) }, { min($0, 3 * $0 * $0) }),
      ("remainder", { try $0.remainder(0.2) }, { $0 - 0.2 * floor($0 / 0.2) }),
      ("floorDivide", { try $0.floorDivide(0.2) }, { floor($0 / 0.2) }),
      ("clamp", { try $0.clamp(min: 0.2, max: 0.6) }, { min(max($0, 0.2), 0.6) }),
      ("clamp below", { try $0.clamp(min: 0.2) }, { max($0, 0.2) }),
      ("lerp", { try $0.lerp(2 * $0, weight: 0.25) }, { 1.25 * $0 }),
      ("rsub", { try 1 - $0 }, { 1 - $0 }), ("rdiv", { try 1 / $0 }, { 1 / $0 }), ("div", { try $0 / 4 }, { $0 / 4 }),
      ("addInPlace", { try $0.clone().addInPlace($0, scale: 2) }, { 3 * $0 }),
      ("subtractInPlace", { try (2 * $0).subtractInPlace($0) }, { $0 }),
      ("multiplyInPlace", { try $0.clone().multiplyInPlace($0).multiplyInPlace(2) }, { 2 * $0 * $0 }),
      ("divideInPlace", { try $0.clone().divideInPlace(2 * $0) }, { _ in 0.5 }),
      ("fill, copy", { try $0.clone().fill(3).copy(from: $0) }, { $0 }),
    ]
    for (name, operation, plain) in table {
      #expect(try relativeError(operation(x), Tensor(numbers.map(plain))) < 1e-14, "\(name)")
    }
  }

  @Test func comparisons() throws {
    let x = try Tensor([1, 2, 3] as [Double]), y = try Tensor([3, 2, .nan] as [Double])
    let table: [(Tensor, [Bool])] = try [
      (x.equals(y), [false, true, false]), (x.equals(2), [false, true, false]), (x.less(y), [true, false, false]),
      (x.less(2), [true, false, false]), (x.lessOrEqual(y), [true, true, false]),
      (x.lessOrEqual(2), [true, true, false]),
      (x.greater(y), [false, false, false]), (x.greater(2), [false, false, true]),
      (x.greaterOrEqual(y), [false, true, false]), (x.greaterOrEqual(2), [false, true, true]),
      (y.isNaN(), [false, false, true]), (y.isFinite(), [true, true, false]),
      (y.isFinite().not(), [false, false, true]),
      (x.less(2).or(x.greater(2)), [true, false, true]), (x.less(3).and(x.greater(1)), [false, true, false]),
    ]
    for (index, (result, expected)) in table.enumerated() {
      #expect(try result.array(Bool.self) == expected, "comparison \(index)")
    }
    #expect(try !y.isIdentical(to: y) && x.isIdentical(to: x.clone()) && !x.isIdentical(to: x.to(.float32)))
  }

  @Test func reductionsViewsAndCreation() throws {
    let x = try Tensor([1, 2, 3, 4, 5, 6] as [Double], shape: [2, 3])
    let rows = try Tensor([1, 0] as [Int64])
    let generator = try Generator(seed: 3)
    let table: [(String, Tensor, [Double])] = try [
      ("sum", x.sum(), [21]), ("mean", x.mean(), [3.5]), ("product", x.product(), [720]), ("max", x.max(), [6]),
      ("min", x.min(), [1]), ("min of dimensions", x.min([1]), [1, 4]), ("argmin", x.argmin(0), [0, 0, 0]),
      ("standardDeviation", x.standardDeviation([1], correction: 1), [1, 1]), ("all", x.less(6).all(), [0]),
      ("any", x.less(2).any(), [1]), ("countNonzero", x.less(3).countNonzero(), [2]),
      ("norm of dimensions", x.norm(1, dimensions: [0]), [5, 7, 9]), ("dot", x[0].dot(x[1]), [32]),
      ("inverse", Tensor.eye(2, dtype: .float64).multiplyInPlace(4).inverse(), [0.25, 0, 0, 0.25]),
      ("svd", Tensor.eye(2, dtype: .float64).svd().s, [1, 1]), ("view", x.view([6]).slice(0, 0..<2), [1, 2]),
      ("permute", x.permute([1, 0]), [1, 4, 2, 5, 3, 6]), ("unsqueeze", x[0].unsqueeze(0).squeeze(0), [1, 2, 3]),
      ("expand", x.narrow(1, from: 2, count: 1).expand([2, 2]), [3, 3, 6, 6]), ("range", x[1..<2], [4, 5, 6]),
      ("split", x.split(2, dimension: 1)[1], [3, 6]),
      ("split sizes", x.split(sizes: [1, 2], dimension: 1)[0], [1, 4]),
      ("stack", Tensor.stack([x[1], x[0]]), [4, 5, 6, 1, 2, 3]), ("roll", x.roll([1], [1]), [3, 1, 2, 6, 4, 5]),
      ("scatter", x.scatter(0, rows.unsqueeze(1), Tensor([8.0, 9], shape: [2, 1])), [9, 2, 3, 8, 5, 6]),
      ("maskedFill", x.maskedFill(x.greater(4), 0), [1, 2, 3, 4, 0, 0]),
      ("maskedSelect", x.maskedSelect(x.less(3)), [1, 2]),
      ("upperTriangle", x.upperTriangle(1), [0, 2, 3, 0, 0, 6]), ("oneHot", rows.oneHot(2), [0, 1, 1, 0]),
      ("embedding", Tensor.embedding(x, rows), [4, 5, 6, 1, 2, 3]), ("full", Tensor.full([2], 7), [7, 7]),
      ("range by step", Tensor.range(from: 1, to: 6, by: 2), [1, 3, 5]), ("ones like", rows.onesLike(), [1, 1]),
      ("linspace", Tensor.linspace(0, 1, count: 3), [0, 0.5, 1]), ("zeros like", rows.zerosLike(), [0, 0]),
      ("integers", Tensor.integers(in: 4..<5, shape: [2], generator: generator), [4, 4]),
    ]
    for (name, result, expected) in table { #expect(try result.array(Double.self) == expected, "\(name)") }
  }

  @Test func listsOfTensors() throws {
    func list() throws -> [Tensor] { [try Tensor([1, 2] as [Double]), try Tensor([3] as [Double])] }
    let a = try list()
    let inPlace = try list()
    try inPlace.addInPlace(a, scale: 2)
    try inPlace.scaleInPlace(by: 2)
    let zeroed = try list()
    try zeroed.zeroInPlace()
    let copied = try list().scaled(by: 0)
    try copied.copyInPlace(from: a)
    let table: [(String, [Tensor], [Double])] = try [
      ("adding", a.adding(a, scale: -0.5), [0.5, 1, 1.5]), ("scaled", a.scaled(by: 3), [3, 6, 9]),
      ("multiplied", a.multiplied(by: a), [1, 4, 9]), ("lerp", a.lerp(zeroed, weight: 0.75), [0.25, 0.5, 0.75]),
      ("in place", inPlace, [6, 12, 18]), ("zeroed", zeroed, [0, 0, 0]), ("copied", copied, [1, 2, 3]),
      ("norms", a.norms(), [sqrt(5), 3]),
    ]
    for (name, result, expected) in table {
      #expect(
        try relativeError(Tensor.concatenate(result.map { try $0.reshape([-1]) }), Tensor(expected)) < 1e-14, "\(name)")
    }
  }

  @Test(arguments: [MemoryFormat.contiguous, .channelsLast], [false, true])
  func rectifiedConvolutionsAreConvolutionsSumsAndMaxima(_ format: MemoryFormat, _ overwriting: Bool) throws {
    let generator = try Generator(seed: 3)
    let x = try Tensor.normal([2, 5, 9, 9], generator: generator).contiguous(format)
    let weight = try Tensor.normal([16, 5, 3, 3], generator: generator)
    let bias = try Tensor.normal([16], generator: generator)
    let plain = try x.conv2d(weight, bias, stride: 2, padding: 1)
    let other = try Tensor.normal(plain.shape, generator: generator).contiguous(format)
    let kept = try other.clone()
    let alone = try x.rectifiedConv2d(weight, bias, stride: 2, padding: 1)
    #expect(try relativeError(alone, plain.relu()) < 1e-6)
    let sum = try x.rectifiedConv2d(weight, bias, adding: other, overwriting: overwriting, stride: 2, padding: 1)
    #expect(try relativeError(sum, (plain + kept).relu()) < 1e-6)
    // Nothing that may still be needed is overwritten.
    if !overwriting { #expect(try relativeError(other, kept) == 0) }
  }

  /// libtorch's own kernels fail here on some processors.
  @Test(arguments: [MemoryFormat.contiguous, .channelsLast], [(8, 16, 32, 16), (4, 8, 16, 9), (16, 64, 128, 8)])
  func gradientsOfPointwiseKernelsUnderAStride(
    _ format: MemoryFormat, _ sizes: (batch: Int, inputs: Int, outputs: Int, pixels: Int)
  ) throws {
    let generator = try Generator(seed: 5)
    let x = try Tensor.normal([sizes.batch, sizes.inputs, sizes.pixels, sizes.pixels], generator: generator)
    let weight = try Tensor.normal([sizes.outputs, sizes.inputs, 1, 1], generator: generator)
    func found(_ dtype: DType, _ format: MemoryFormat) throws -> [Tensor] {
      let leaves = try [x, weight].map { try $0.to(dtype).contiguous(format).detach() }
      for leaf in leaves { try leaf.setRequiresGradient(true) }
      let result = try leaves[0].conv2d(leaves[1], stride: 2)
      return try [result.detach()] + gradients(of: result.square().sum(), withRespectTo: leaves)
    }
    let expected = try found(.float64, .contiguous)
    for _ in 0..<3 {
      for (result, exact) in zip(try found(.float32, format), expected) {
        #expect(try relativeError(result, exact) < 1e-5)
      }
    }
  }
}
