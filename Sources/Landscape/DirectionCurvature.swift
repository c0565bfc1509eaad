import Torch
import Weights

/// The curvature of the loss along the line between two points A and B, and what it says about merging them.
///
/// With d = B − A over the trained parameters and M the midpoint, f(t) = L(A + t d) has f''(t) = dᵀ H d. The loss gain
/// of the merge is G = f(½) − ½ (f(0) + f(1)), and integrating by parts twice
///
///     G = −∫₀¹ K(t) f''(t) dt,   K(t) = ½ min(t, 1 − t),   ∫ K = 1/8.
///
/// Taking f'' as constant, its value at M, gives the second-order prediction G ≈ −⅛ dᵀ H_M d: the loss falls in the
/// middle of a bowl and rises on a ridge. Taking f'' as the parabola through its values at A, M and B gives the sharper
///
///     G ≈ −(f''(0) + 10 f''(½) + f''(1)) / 96.
///
/// Both are exact for a quadratic loss. BatchNorm's statistics count as constants of each point; where they are
/// re-estimated the measured gain contains what that changes.
public struct DirectionCurvature: Encodable, Hashable, Sendable {
  /// ‖d‖
  public var distance: Double
  /// dᵀ H d / ‖d‖² at A
  public var first: Double
  /// The same at the midpoint
  public var midpoint: Double
  /// The same at B
  public var second: Double
  /// The loss at the three points, nats
  public var losses: [Double]

  /// G as measured; nats, negative where the merge is better than the mean of its parents
  public var measuredGain: Double { losses[1] - (losses[0] + losses[2]) / 2 }
  /// −⅛ dᵀ H_M d
  public var secondOrderGain: Double { -midpoint * distance * distance / 8 }
  /// −(f''(0) + 10 f''(½) + f''(1)) / 96
  public var threePointGain: Double { -(first + 10 * midpoint + second) * distance * distance / 96 }

  private enum CodingKeys: String, CodingKey {
    case distance, first, midpoint, second, losses, measuredGain, secondOrderGain, threePointGain
  }

  /// Writes the three gains too.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(distance, forKey: .distance)
    try container.encode(first, forKey: .first)
    try container.encode(midpoint, forKey: .midpoint)
    try container.encode(second, forKey: .second)
    try container.encode(losses, forKey: .losses)
    try container.encode(measuredGain, forKey: .measuredGain)
    try container.encode(secondOrderGain, forKey: .secondOrderGain)
    try container.encode(threePointGain, forKey: .threePointGain)
  }
}

extension DirectionCurvature {
  /// The curvature along B − A.
  ///
  /// - Parameters:
  ///   - hessians: at A, M and B, of one network on the same examples
  ///   - direction: B − A, [n], in the order of the Hessians' vectors
  /// - Throws: `LandscapeError` where A and B are the same.
  public init(_ hessians: [LossHessian], along direction: Tensor) throws {
    guard hessians.count == 3 else { throw LandscapeError("\(hessians.count) points; expected A, the midpoint and B") }
    let distance = try direction.norm(dtype: .float64).item()
    guard distance > 0 else { throw LandscapeError("the two networks are the same point: there is no direction") }
    let unit = try direction * (1 / distance)
    let curvatures = try hessians.map { hessian in
      let image = try hessian(unit)
      return try withoutGradients { try (image * unit).sum(dtype: .float64).item() }
    }
    self.distance = distance
    (first, midpoint, second) = (curvatures[0], curvatures[1], curvatures[2])
    losses = try hessians.map { try $0.loss() }
  }
}

extension Weights {
  /// The trained parameters of a network at this point as one vector, in the order of `LossHessian`'s.
  public func vector(_ names: [String]) throws -> Tensor {
    try withoutGradients {
      try .concatenate(
        names.map { name in
          guard let tensor = self[name] else { throw LandscapeError("the weights have no \(name)") }
          return try tensor.detach().to(.float32).reshape([-1])
        })
    }
  }
}
