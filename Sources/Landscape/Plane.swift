import Foundation
import Torch
import Weights

/// The plane through three points of weight space (Garipov et al. 2018), in coordinates α along B − A and β along the
/// part of C − A that is orthogonal to it:
///
///     θ(α, β) = A + α (B − A) + β [(C − A) − p (B − A)],   p = ⟨C − A, B − A⟩ / ‖B − A‖²
///
/// so that A is (0, 0), B (1, 0) and C (p, 1). `width` and `height` turn coordinates into distances.
public struct ThreePointPlane: Sendable {
  /// The origin.
  public let a: Weights
  /// At α = 1, β = 0.
  public let b: Weights
  /// At α = p, β = 1.
  public let c: Weights
  /// ‖B − A‖ over the floating-point tensors that span the plane
  public let width: Double
  /// ‖C − A − p (B − A)‖
  public let height: Double
  /// C's α
  public let p: Double

  /// The plane through three points.
  ///
  /// - Parameters:
  ///   - names: of the points, for messages
  ///   - isDirection: which tensors say where a point is; running statistics, which follow from the others, do not
  /// - Throws: `LandscapeError` when the three points lie on one line, `FileError` when they are of different
  ///   networks.
  public init(
    _ a: Weights, _ b: Weights, _ c: Weights, names: [String] = ["A", "B", "C"],
    spannedBy isDirection: (String) -> Bool = { _ in true }
  ) throws {
    try a.requireSameLayout(as: b)
    try a.requireSameLayout(as: c)
    (self.a, self.b, self.c) = (a, b, c)
    var (uu, uw, ww, noise) = (0.0, 0.0, 0.0, 0.0)
    try withoutGradients {
      for (name, start) in a where start.dtype.isFloatingPoint && isDirection(name) {
        guard let second = b[name], let third = c[name] else { continue }
        let origin = try start.to(.float64)
        let u = try second.to(.float64) - origin
        let w = try third.to(.float64) - origin
        uu += try (u * u).sum().item()
        uw += try (u * w).sum().item()
        ww += try (w * w).sum().item()
        noise += try (origin * origin).sum().item() * pow(Self.rounding(start.dtype), 2)
      }
    }
    let label = names + ["A", "B", "C"].dropFirst(names.count)
    guard uu > 0 else {
      throw LandscapeError("\(label[0]) and \(label[1]) are the same point; a plane needs three that differ")
    }
    p = uw / uu
    // What is left of C − A below the rounding of three points' weights is noise.
    let rest = ww - p * uw
    guard ww > 0, rest > max(1e-10 * ww, 4 * noise) else {
      throw LandscapeError(
        "\(label[0]), \(label[1]) and \(label[2]) lie on one line (\(label[2]) at λ = \(Self.short(p)) of it), "
          + "so they span no plane; measure the line with `valley landscape path`, or choose another point")
    }
    width = uu.squareRoot()
    height = rest.squareRoot()
  }

  /// How far a weight may lie from what it was before it was stored, relative to it.
  private static func rounding(_ dtype: DType) -> Double {
    switch dtype {
    case .bfloat16: 0x1p-8
    case .float16: 0x1p-11
    case .float64: 0x1p-53
    default: 0x1p-24
    }
  }

  private static func short(_ value: Double) -> String { "\((value * 10_000).rounded() / 10_000)" }

  /// A, B and C in coordinates.
  public var corners: [(alpha: Double, beta: Double)] { [(0, 0), (1, 0), (p, 1)] }

  /// The point at (α, β), for `MovingPoint`: what A, B and C count, without a direction in memory. Exact at the three
  /// points.
  public func terms(alpha: Double, beta: Double) -> [(coefficient: Double, weights: Weights)] {
    let (ofB, ofC) = (alpha - beta * p, beta)
    return [(1 - ofB - ofC, a), (ofB, b), (ofC, c)]
  }
}

/// The plane through one point along two random directions, each filter of a direction as long as the point's filter
/// (Li et al. 2018).
public struct RandomPlane: Sendable {
  /// At α = β = 0.
  public let origin: Weights
  /// The direction along which α counts.
  public let first: Weights
  /// The direction along which β counts.
  public let second: Weights

  /// The plane through a point along directions that `seed` decides; `names` are those of what is trained.
  public init(around origin: Weights, trainable names: Set<String>, seed: Int) throws {
    self.origin = origin
    let generator = try Generator(seed: UInt64(bitPattern: Int64(seed)))
    first = try origin.randomDirection(trainable: names, generator: generator)
    second = try origin.randomDirection(trainable: names, generator: generator)
  }

  /// The point at (α, β), for `MovingPoint`.
  public func terms(alpha: Double, beta: Double) -> [(coefficient: Double, weights: Weights)] {
    [(1, origin), (alpha, first), (beta, second)]
  }
}

extension Weights {
  /// A random direction with filter normalisation (Li et al. 2018): normal numbers, each filter (an index of the first
  /// dimension) scaled by ‖w‖ / (‖d‖ + 10⁻¹⁰). Zero in tensors of one dimension or none (biases, BatchNorm) and in
  /// those that are not trained.
  public func randomDirection(trainable: Set<String>, generator: Generator) throws -> Weights {
    try withoutGradients {
      try mapTensors { name, tensor in
        guard trainable.contains(name), tensor.dtype.isFloatingPoint, tensor.rank > 1 else {
          return try tensor.zerosLike()
        }
        let drawn = try Tensor.normal(tensor.shape, generator: generator).to(tensor.device).to(tensor.dtype)
        let dimensions = Array(1..<tensor.rank)
        let scale =
          try tensor.norm(dimensions: dimensions, keep: true) / (drawn.norm(dimensions: dimensions, keep: true) + 1e-10)
        // Laid out as the tensor it will be added to.
        return try tensor.clone().copy(from: drawn * scale)
      }
    }
  }
}
