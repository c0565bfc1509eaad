import Alignment
import Checkpoints
import Landscape
import Networks
import Torch
import Training
import Weights

/// Measures the loss around and between the endpoints of a branch point, as `measure.landscape` asks.
struct LandscapeMeasurement {
  private let prepared: PreparedRun
  private let wanted: LandscapeChoice
  private let checkpoints: RunCheckpoints
  private let point: Int
  /// Throws when the run is to stop.
  private let mayGoOn: () throws -> Void

  init(
    _ prepared: PreparedRun, _ wanted: LandscapeChoice, _ checkpoints: RunCheckpoints, at point: Int,
    mayGoOn: @escaping () throws -> Void
  ) {
    (self.prepared, self.wanted, self.checkpoints, self.point) = (prepared, wanted, checkpoints, point)
    self.mayGoOn = mayGoOn
  }

  func perform() throws -> LandscapeRow {
    let endpoints = try (0..<prepared.steps.endpoints).map {
      try checkpoints.weights(at: point, endpoint: $0).to(prepared.device)
    }
    let pairs = endpoints.indices.flatMap { first in endpoints.indices.dropFirst(first + 1).map { (first, $0) } }
    var row = LandscapeRow(step: point, epoch: Double(point) / Double(prepared.steps.perEpoch))
    let evaluator = try evaluator()
    if let count = wanted.path {
      for (first, second) in pairs {
        let (a, b) = (endpoints[first], endpoints[second])
        row.paths.append(try path(a, b, count, evaluator, [first, second]))
        guard let alignment = wanted.align else { continue }
        let aligned = try align(b, to: a, alignment)
        row.paths.append(try path(a, aligned, count, evaluator, [first, second], alignment))
      }
    }
    if let top = wanted.curvature {
      try mayGoOn()
      row.spectra = [try spectrum(endpoints[0], top: top)]
    }
    if wanted.similarity == true {
      for (first, second) in pairs {
        try mayGoOn()
        row.similarities.append(try similarity(endpoints[first], endpoints[second], [first, second]))
      }
    }
    if let count = wanted.plane {
      let base = try checkpoints.trunk(at: point).weights.to(prepared.device)
      row.plane = try plane(base, endpoints[0], endpoints[1], count, evaluator)
    }
    return row
  }

  private func evaluator() throws -> PointEvaluator {
    let network = try prepared.makeNetwork()
    let samples = prepared.configuration.merge.batchNormSamples
    let reestimates = prepared.configuration.merge.batchNorm == .reestimate
    return try PointEvaluator(
      network, train: PreparedExamples(prepared.train, limit: wanted.examples),
      test: PreparedExamples(prepared.test, limit: wanted.examples),
      batchNorm: reestimates ? samples.map { .subset($0) } ?? .full : .off, batches: prepared.batches())
  }

  private func path(
    _ a: Weights, _ b: Weights, _ count: Int, _ evaluator: PointEvaluator, _ endpoints: [Int],
    _ alignment: LandscapeChoice.Alignment? = nil
  ) throws -> LandscapeRow.Path {
    let measured = try PathMeasure(
      WeightPath(from: a, to: b), positions: WeightPath.positions(count), by: evaluator
    ) { _, _ in try mayGoOn() }
    return LandscapeRow.Path(
      endpoints: endpoints, alignment: alignment?.rawValue, positions: measured.positions,
      trainLoss: measured.points.compactMap { $0.train?.loss }, testLoss: measured.points.compactMap { $0.test?.loss },
      testAccuracy: measured.points.compactMap { $0.test?.accuracy })
  }

  private func plane(_ base: Weights, _ a: Weights, _ b: Weights, _ count: Int, _ evaluator: PointEvaluator) throws
    -> PlaneMeasure
  {
    let names = ["base", "A", "B"]
    let trained = Set(evaluator.network.parameters().filter(\.parameter.isTrainable).map(\.name))
    let plane = try ThreePointPlane(base, a, b, names: names, spannedBy: trained.contains)
    let corners = plane.corners
    func coordinates(_ values: [Double]) -> [Double] {
      let (low, high) = (values.min() ?? 0, values.max() ?? 1)
      let margin = 0.4 * (high - low)
      return PlaneMeasure.coordinates(from: low - margin, to: high + margin, count: count)
    }
    let (alphas, betas) = (coordinates(corners.map(\.alpha)), coordinates(corners.map(\.beta)))
    let moving = try MovingPoint(at: base)
    var points: [PointMeasure] = []
    for beta in betas {
      for alpha in alphas {
        try mayGoOn()
        try moving.move(to: plane.terms(alpha: alpha, beta: beta))
        points.append(try evaluator.measure(at: moving.weights))
      }
    }
    return PlaneMeasure(
      alphas: alphas, betas: betas, alphaLength: plane.width, betaLength: plane.height,
      marks: zip(names, corners).map { .init(name: $0, alpha: $1.alpha, beta: $1.beta) }, points: points)
  }

  private func align(_ b: Weights, to a: Weights, _ alignment: LandscapeChoice.Alignment) throws
    -> Weights
  {
    let network = try prepared.makeNetwork()
    let symmetry = try Symmetry(of: network)
    let seed = UInt64(bitPattern: Int64(prepared.configuration.seeds.order))
    switch alignment {
    case .weight:
      return try symmetry.apply(WeightMatching(seed: seed).match(b, to: a, symmetry).permutations, to: b)
    case .activation:
      let matched = try ActivationMatching(examples: wanted.examples ?? 1000).match(
        b, to: a, symmetry, of: network, on: prepared.train)
      return try symmetry.apply(matched.permutations, to: b)
    }
  }

  private func spectrum(_ weights: Weights, top: Int) throws -> LandscapeRow.Spectrum {
    let network = try prepared.makeNetwork()
    let examples = try PreparedExamples(prepared.train, limit: wanted.examples)
    let hessian = try network.at(weights) {
      try LossHessian(network, on: examples, trained: prepared.configuration.trained)
    }
    let found = try Eigenvalues(of: hessian, largest: top)
    return LandscapeRow.Spectrum(
      endpoint: 0, eigenvalues: found.largest.map(\.value), residuals: found.largest.map(\.residual),
      isConverged: found.converged, examples: examples.count)
  }

  private func similarity(_ a: Weights, _ b: Weights, _ endpoints: [Int]) throws -> LandscapeRow.Similarity {
    let found = try CKA(
      of: prepared.makeNetwork(), at: a, b, layers: [CKA.penultimate],
      on: PreparedExamples(prepared.test, limit: wanted.examples))
    return LandscapeRow.Similarity(
      endpoints: endpoints, layer: CKA.penultimate, cka: found.diagonal.first?.value ?? .nan)
  }
}
