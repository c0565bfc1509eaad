import Datasets
import Networks
import Torch

/// The noise of the stochastic gradient at one point, estimated from K microbatches of b examples (McCandlish et al. 2018, with B = K b
/// as the large batch).
public struct GradientNoise: Sendable, Hashable {
  /// tr Σ_A: the trace of the covariance of one example's gradient, augmentation included; S = b / (K − 1) · Σ ‖g_k − ḡ‖²
  public let traceCovariance: Double
  /// |G|², the squared norm of the full gradient, without bias: (B ‖ḡ‖² − b · mean ‖g_k‖²) / (B − b); negative where noise dominates
  public let gradientNormSquared: Double
  /// B_simple = tr Σ / |G|²: the batch size at which noise and signal balance, examples
  public var simpleNoiseScale: Double { traceCovariance / gradientNormSquared }

  /// Measures at the point where the network stands, which does not change.
  ///
  /// BatchNorm works in evaluation mode: in training mode it couples the examples of a batch, and there would be no gradient of one
  /// example to speak of.
  ///
  /// - Parameters:
  ///   - batch: split in `microbatches` equal parts; examples left over are not used
  ///   - loss: whose gradient it is
  ///   - trained: the parameters with respect to which the gradient is taken
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

/// The scale of SGD's noise (paper, section 2): S̃ = η / (B (1 − μ)^p), and S_eff = S̃ · tr Σ.
public enum NoiseScale {
  /// S̃. The exponent p is 1 in the SDE literature and the paper's ICLR version, 2 in its arXiv text.
  public static func proxy(learningRate: Double, batchSize: Int, momentum: Double, exponent: Int) -> Double {
    var denominator = Double(batchSize)
    for _ in 0..<exponent { denominator *= 1 - momentum }
    return learningRate / denominator
  }

  /// The counterpart of S̃ for Adam and AdamW, S̃_Adam = η / √B.
  ///
  /// Where the noise of the gradient outweighs the gradient itself, Adam divides by √v ≈ σ / √B, σ² being the variance of one example's
  /// gradient, so that a step is η g √B / σ: its noise has size η whatever B, and its drift is η ḡ √B / σ. Drift and noise therefore keep
  /// their ratio when η / √B is kept. This is the square-root scaling rule of Malladi, Lyu, Panigrahi and Arora, "On the SDEs and Scaling
  /// Rules for Adaptive Gradient Algorithms" (NeurIPS 2022, arXiv 2205.10287), which goes from B to κB with η √κ.
  ///
  /// What it leaves out: the rule also takes 1 − β to κ (1 − β) for both averages and ε to ε / √κ, so runs with the same β are comparable
  /// only while their averages are short beside the training; it fails where the gradient outweighs its noise (large batches); it
  /// ignores weight decay and clipping; and there is no measured counterpart of tr Σ. Not to be compared with SGD's S̃.
  public static func adamProxy(learningRate: Double, batchSize: Int) -> Double {
    learningRate / Double(batchSize).squareRoot()
  }
}
