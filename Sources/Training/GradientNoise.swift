import Datasets
import Networks
import Torch

/// The noise of the stochastic gradient at one point, estimated from K microbatches of b examples.
///
/// McCandlish et al. 2018, "An Empirical Model of Large-Batch Training", with B = K b as the large batch.
public struct GradientNoise: Sendable, Hashable {
  /// tr Σ: the trace of the covariance of one example's gradient, augmentation included, estimated as
  /// b / (K − 1) · Σ ‖g_k − ḡ‖²
  public let traceCovariance: Double
  /// |G|²: the squared norm of the full gradient, estimated without bias as (B ‖ḡ‖² − b · mean ‖g_k‖²) / (B − b), which
  /// can be negative where noise dominates
  public let gradientNormSquared: Double
  /// B_simple = tr Σ / |G|²: the batch size at which noise and signal balance, in examples
  public var simpleNoiseScale: Double { traceCovariance / gradientNormSquared }

  /// Measures the noise at the network's current weights, which do not change.
  ///
  /// BatchNorm works in evaluation mode. In training mode it couples the examples of a batch, so that no gradient
  /// belongs to one example alone.
  ///
  /// - Parameters:
  ///   - network: where to measure, on the batch's device
  ///   - batch: B examples or more; those left over after division into equal parts are not used
  ///   - microbatches: K, the number of parts
  ///   - loss: the loss whose gradient is measured
  ///   - trained: the parameters with respect to which the gradient is taken
  ///   - autocast: the type of convolutions and matrix products; nil: the weights' own
  /// - Throws: `TorchError` when there are fewer than two microbatches or fewer examples than that.
  public init(
    _ network: any Module, on batch: ExampleBatch, microbatches: Int, loss: CrossEntropy = CrossEntropy(),
    trained: TrainedParameters = .all, autocast: DType? = nil
  ) throws {
    let examples = try batch.labels.size(0)
    let size = microbatches > 1 ? examples / microbatches : 0
    guard size > 0 else {
      throw TorchError(
        operation: "GradientNoise",
        message: "\(examples) examples cannot be split into \(microbatches) microbatches (two or more)")
    }
    let parameters = try trained.parameters(of: network).map(\.parameter.value)
    for parameter in parameters where !parameter.requiresGradient { try parameter.setRequiresGradient(true) }
    var mean: Tensor?
    var spread = 0.0  // Σ ‖g_k − ḡ‖², by Welford's update
    var squares = 0.0  // Σ ‖g_k‖²
    for k in 0..<microbatches {
      let value = try withAutocast(autocast, on: batch.inputs.device) {
        try loss(
          of: network, batch.inputs.narrow(0, from: k * size, count: size),
          batch.labels.narrow(0, from: k * size, count: size), .evaluation)
      }
      let gradient = try Tensor.concatenate(
        gradients(of: value, withRespectTo: parameters).map { try $0.reshape([-1]) })
      squares += try gradient.norm(dtype: .float64).square().item()
      guard let average = mean else {
        mean = gradient
        continue
      }
      let difference = try gradient - average
      spread += try difference.norm(dtype: .float64).square().item() * Double(k) / Double(k + 1)
      try average.addInPlace(difference, scale: 1 / Double(k + 1))
    }
    let (b, large) = (Double(size), Double(size * microbatches))
    let meanSquared = try mean?.norm(dtype: .float64).square().item() ?? 0
    traceCovariance = b / Double(microbatches - 1) * spread
    gradientNormSquared = (large * meanSquared - b * squares / Double(microbatches)) / (large - b)
  }
}

/// The scale of an optimizer's noise. For SGD (arXiv 2510.04686, section 2) S̃ = η / (B (1 − μ)^p), and S_eff = S̃ · tr
/// Σ.
public enum NoiseScale {
  /// S̃ = η / (B (1 − μ)^p) of SGD, per example.
  ///
  /// - Parameters:
  ///   - learningRate: η
  ///   - batchSize: B, in examples
  ///   - momentum: μ
  ///   - exponent: p, which is 1 in the literature on SDEs and in the paper's ICLR version, 2 in its arXiv text
  public static func proxy(learningRate: Double, batchSize: Int, momentum: Double, exponent: Int) -> Double {
    var denominator = Double(batchSize)
    for _ in 0..<exponent { denominator *= 1 - momentum }
    return learningRate / denominator
  }

  /// The counterpart of S̃ for Adam and AdamW: S̃_Adam = η / √B.
  ///
  /// Where the gradient's noise outweighs the gradient itself, Adam divides by √v ≈ σ / √B, where σ² is the variance of
  /// one example's gradient. A step is then η g √B / σ: its noise has size η whatever B is, and its drift is η ḡ √B /
  /// σ. So drift and noise keep their ratio as long as η / √B stays the same. This is the square-root scaling rule of
  /// Malladi, Lyu, Panigrahi and Arora, "On the SDEs and Scaling Rules for Adaptive Gradient Algorithms" (NeurIPS 2022,
  /// arXiv 2205.10287), which goes from B to κB with η √κ.
  ///
  /// It is not to be compared with SGD's S̃, and it leaves out several things:
  ///
  /// - The rule also takes 1 − β to κ (1 − β) for both averages and ε to ε / √κ. So runs with the same β are comparable
  ///   only while their averages are short beside the training.
  /// - It fails where the gradient outweighs its noise, in large batches.
  /// - It ignores weight decay and clipping.
  /// - There is no measured counterpart of tr Σ.
  ///
  /// - Parameters:
  ///   - learningRate: η
  ///   - batchSize: B, in examples
  public static func adamProxy(learningRate: Double, batchSize: Int) -> Double {
    learningRate / Double(batchSize).squareRoot()
  }
}
