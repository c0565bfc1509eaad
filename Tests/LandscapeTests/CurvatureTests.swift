import Networks
import TestSupport
import Testing
import Torch

@testable import Landscape

@Suite struct HessianTests {
  @Test(arguments: ["mlp", "resnet"]) func productsAndGradientAreTheDenseHessians(_ prefix: String) throws {
    let samples = try MeasureSamples(prefix)
    let hessian = try samples.hessian()
    // What becomes of the network afterwards does not matter.
    try samples.network.load(samples.weights("b"))
    #expect(try relativeError(hessian(samples["v"]), samples["product"]) < 1e-5)
    let (loss, gradient) = try hessian.gradient()
    #expect(try relativeError(gradient, samples["gradient"]) < 1e-5)
    #expect(try abs(loss - samples.values("loss")[0]) < 1e-6)
    #expect(try abs(hessian.loss() - loss) < 1e-6)
    #expect(try deviations(samples.network.weights, samples.weights("b"), tolerance: 0) == [])
    let error = #expect(throws: TorchError.self) { try hessian(.zeros([3])) }
    #expect(error?.description.contains("a vector of \(hessian.dimension) elements is expected") == true)
  }

  /// Against the difference of gradients: that every operator on the way has its second derivative.
  @Test(arguments: [
    Architecture.Name.mlp, .resnet, .vgg11BatchNorm, .vit, .clip, .convnext, .gpt,
  ])
  func everyFamilyHasProducts(_ name: Architecture.Name) throws {
    var architecture = Architecture(name: name)
    for (option, size) in [Architecture.Option.depth: 1, .width: 8, .heads: 2] where architecture[option] != nil {
      architecture[option] = .integer(size)
    }
    let isLanguage = name.declaration.input == .tokens
    let input: InputShape = isLanguage ? .tokens(vocabulary: 12, context: 6) : .picture(height: 32, width: 32)
    let generator = try Generator(seed: 5)
    let network = try architecture.makeNetwork(input: input, classes: isLanguage ? 12 : 4, generator: generator)
    try network.move(to: .cpu, format: .channelsLast)
    let examples = MeasureSamples.Examples(
      inputs: isLanguage
        ? try .integers(in: 0..<12, shape: [4, 6], generator: generator)
        : try Tensor.normal([4, 3, 32, 32], generator: generator).contiguous(.channelsLast),
      labels: try .integers(in: 0..<4, shape: isLanguage ? [4, 6] : [4], generator: generator))
    let point = network.weights
    let hessian = try LossHessian(network, on: examples)
    let direction = try Tensor.normal([hessian.dimension], generator: generator)
    let product = try hessian(direction)
    let unit = try direction.norm().item()
    func gradient(_ step: Double) throws -> Tensor {
      var start = 0
      let names = try LossHessian.names(network)
      let moved = try withoutGradients {
        try point.mapTensors { name, tensor in
          guard names.contains(name) else { return tensor }
          defer { start += tensor.count }
          let part = try direction.narrow(0, from: start, count: tensor.count).view(tensor.shape)
          return try tensor.detach() + part * (step / unit)
        }
      }
      try network.load(moved)
      defer { try? network.load(point) }
      return try LossHessian(network, on: examples).gradient().gradient
    }
    let step = 3e-3
    let difference = try (gradient(step) - gradient(-step)) * (unit / (2 * step))
    #expect(try product.norm().item() > 0)
    let other = try Tensor.normal([hessian.dimension], generator: generator)
    let there = try (product * other).sum().item()
    let back = try (hessian(other) * direction).sum().item()
    let size = try product.norm().item() * other.norm().item()
    #expect(abs(there - back) < 1e-4 * size)
    // Between the two points of a difference many units of a ReLU network change sides, which the Hessian does not
    // know.
    guard name != .resnet, name != .vgg11BatchNorm else { return }
    #expect(try relativeError(product, difference) < 0.1)
  }
}

@Suite struct EigenvaluesTests {
  @Test(arguments: ["mlp", "resnet"]) func bothEndsAreTheDenseHessians(_ prefix: String) throws {
    let samples = try MeasureSamples(prefix)
    let expected = try samples.values("eigenvalues")
    let found = try Eigenvalues(of: samples.hessian(), largest: 4, smallest: 2, verifies: true)
    #expect(found.converged)
    for (pair, value) in zip(found.largest, expected.reversed()) {
      #expect(abs(pair.value - value) < 1e-3 * abs(expected.last ?? 0))
      #expect(pair.residual <= 1e-3 * abs(expected.last ?? 0))
    }
    for (pair, value) in zip(found.smallest, expected) {
      #expect(abs(pair.value - value) < 1e-3 * abs(expected.last ?? 0))
    }
    #expect(found.largest.count == 4 && found.smallest.count == 2)
  }

  @Test func aKnownSpectrumIsFoundInFewProducts() throws {
    // A bulk around 0 and a few that stand out, as Hessians of networks have.
    let spectrum = (0..<392).map { Double($0) / 392 * 0.1 } + [1, 2, 3, 5, 7, 11, 13, 17]
    let operation = try MatrixOperator(eigenvalues: spectrum)
    let found = try Eigenvalues(of: operation, largest: 8, tolerance: 1e-4)
    #expect(found.converged)
    #expect(found.products == operation.products && found.products <= 25)
    for (pair, value) in zip(found.largest, [17, 13, 11, 7, 5, 3, 2, 1.0]) {
      #expect(abs(pair.value - value) < 1e-4)
      #expect(pair.residual <= 1e-4 * 17)
    }
  }

  @Test func residualsAreTheVectors() throws {
    let spectrum = (0..<200).map { Double($0) * 0.01 } + [4, 9]
    let recurrence = try Eigenvalues(of: MatrixOperator(eigenvalues: spectrum), largest: 3, tolerance: 1e-2)
    let explicit = try Eigenvalues(
      of: MatrixOperator(eigenvalues: spectrum), largest: 3, tolerance: 1e-2, verifies: true)
    for (a, b) in zip(recurrence.largest, explicit.largest) { #expect(abs(a.residual - b.residual) < 1e-4) }
    #expect(explicit.products == recurrence.products + 3)
  }

  @Test func copiesOfMultipleEigenvaluesAreFoundWhereTheSpaceIsExhausted() throws {
    let spectrum = [Double](repeating: 0, count: 20) + [Double](repeating: -2, count: 3) + [5, 5, 8, 8, 8]
    let found = try Eigenvalues(
      of: MatrixOperator(eigenvalues: spectrum), largest: 5, smallest: 3, tolerance: 1e-5, budget: 28)
    #expect(found.converged)
    for (pair, value) in zip(found.largest, [8, 8, 8, 5, 5.0]) { #expect(abs(pair.value - value) < 1e-4) }
    for pair in found.smallest { #expect(abs(pair.value + 2) < 1e-4) }
    let zero = try Eigenvalues(of: MatrixOperator(.zeros([6, 6], dtype: .float64)), largest: 2)
    #expect(zero.largest.allSatisfy { $0.value == 0 })
  }

  @Test func aRunThatDoesNotConvergeSaysSo() throws {
    let spectrum = (0..<300).map { Double($0) / 300 }
    let found = try Eigenvalues(of: MatrixOperator(eigenvalues: spectrum), largest: 8, tolerance: 1e-6, budget: 12)
    #expect(!found.converged && found.products == 12 && found.largest.count == 8)
    #expect(found.largest[0].value > 0.9 && found.largest[0].residual > 0)
  }

  @Test func impossibleWishesAreRefused() throws {
    let operation = try MatrixOperator(eigenvalues: [1, 2, 3])
    for (wanted, budget, words) in [
      (4, 200, "4 eigenvalues of an operator of 3 dimensions by at most 200 products; expected from 1 to 3"),
      (0, 200, "0 eigenvalues of an operator of 3 dimensions"), (2, 1, "by at most 1 products; expected from 1 to 1"),
    ] {
      let error = #expect(throws: LandscapeError.self) {
        try Eigenvalues(of: operation, largest: wanted, budget: budget)
      }
      #expect(error?.description.contains(words) == true)
    }
    let broken = MatrixOperator(try .full([3, 3], .nan, dtype: .float64))
    let error = #expect(throws: LandscapeError.self) { try Eigenvalues(of: broken, largest: 1) }
    #expect(error?.description.contains("product 1 of the Hessian with a vector is not finite") == true)
  }
}

@Suite struct SpectralDensityTests {
  @Test(arguments: ["mlp", "resnet"]) func theTraceIsTheDenseHessians(_ prefix: String) throws {
    let samples = try MeasureSamples(prefix)
    let expected = try samples.values("trace")[0]
    let trace = try TraceEstimate(of: samples.hessian(), probes: 40)
    let error = try #require(trace.standardError)
    #expect(abs(trace.mean - expected) < 4 * error)
    #expect(error < 0.3 * abs(expected))
  }

  @Test func theDensityIntegratesToOneAndToTheTrace() throws {
    let samples = try MeasureSamples("mlp")
    let density = try SpectralDensity(of: samples.hessian(), probes: 6, steps: 20, seed: 4)
    #expect(abs(density.nodes.reduce(0) { $0 + $1.weight } - 1) < 1e-9)
    // The first product of each probe already is Hutchinson's; the quadrature integrates x exactly.
    let hutchinson = try TraceEstimate(of: samples.hessian(), probes: 1, seed: 4)
    let single = try SpectralDensity(of: samples.hessian(), probes: 1, steps: 20, seed: 4)
    #expect(abs(single.trace.mean - hutchinson.mean) < 1e-4 * abs(hutchinson.mean))
    let grid = (0...4000).map { -2 + Double($0) * 0.002 }
    let values = density.density(at: grid, width: 0.05)
    #expect(abs(values.reduce(0, +) * 0.002 - 1) < 1e-3)
    let mean = zip(grid, values).reduce(0) { $0 + $1.0 * $1.1 } * 0.002
    #expect(abs(mean * Double(density.dimension) - density.trace.mean) < 1e-2 * density.trace.mean)
  }

  @Test func theQuadratureMatchesMomentsOfAKnownSpectrum() throws {
    let spectrum = (0..<120).map { Double($0 % 7) - 1 }
    let density = try SpectralDensity(of: MatrixOperator(eigenvalues: spectrum), probes: 30, steps: 12)
    // Seven distinct eigenvalues: every probe's space is exhausted after seven steps, and the nodes are exact.
    for value in -1...5 {
      let weight = density.nodes.filter { abs($0.value - Double(value)) < 1e-3 }.reduce(0) { $0 + $1.weight }
      #expect(abs(weight - 1.0 / 7) < 0.04)
    }
    #expect(density.nodes.allSatisfy { abs($0.value - $0.value.rounded()) < 1e-3 || $0.weight < 1e-6 })
  }
}

@Suite struct DirectionCurvatureTests {
  @Test(arguments: ["mlp", "resnet"]) func curvaturesAreTheDenseHessians(_ prefix: String) throws {
    let samples = try MeasureSamples(prefix)
    let (a, b) = (samples.weights("a"), samples.weights("b"))
    let hessians = try [a, a.interpolated(to: b, at: 0.5), b].map {
      try samples.network.load($0)
      return try LossHessian(samples.network, on: samples.examples, batchSize: 24)
    }
    let names = try LossHessian.names(samples.network)
    let found = try DirectionCurvature(hessians, along: b.vector(names) - a.vector(names))
    let (curvatures, losses) = (try samples.values("curvatures"), try samples.values("losses"))
    for (ours, theirs) in zip([found.first, found.midpoint, found.second], curvatures) {
      #expect(abs(ours - theirs) < 1e-4 * (1 + abs(theirs)))
    }
    for (ours, theirs) in zip(found.losses, losses) { #expect(abs(ours - theirs) < 1e-5) }
    #expect(try abs(found.distance - samples.values("distance")[0]) < 1e-4)
    let error = #expect(throws: LandscapeError.self) {
      try DirectionCurvature(hessians, along: .zeros([hessians[0].dimension]))
    }
    #expect(error?.description == "the two networks are the same point: there is no direction")
  }

  /// The formulas on f(t) = t⁴ and f(t) = t², of which the three-point one is exact for both.
  @Test func predictionsAreExactWhereTheyShouldBe() {
    let quartic = DirectionCurvature(
      distance: 2, first: 0, midpoint: 3.0 / 4, second: 12.0 / 4, losses: [0, 1 / 16.0, 1])
    #expect(abs(quartic.threePointGain - quartic.measuredGain) < 1e-12)
    let parabola = DirectionCurvature(distance: 2, first: 0.5, midpoint: 0.5, second: 0.5, losses: [0, 0.25, 1])
    #expect(abs(parabola.secondOrderGain - parabola.measuredGain) < 1e-12)
    #expect(abs(parabola.threePointGain - parabola.measuredGain) < 1e-12)
  }
}
