import Torch

/// y = γ (x − mean) / √(variance + ε) + β per channel (Ioffe and Szegedy 2015); input and output [N, channels, H, W].
/// `Mode` says whose mean and variance: the batch's or the running ones.
public struct BatchNorm2d: Module {
  /// γ, [channels]
  public let weight: Parameter
  /// β, [channels]
  public let bias: Parameter
  /// [channels]
  public let runningMean: Parameter
  /// [channels]
  public let runningVar: Parameter
  /// How many batches the running statistics have seen; a number, int64
  public let numBatchesTracked: Parameter
  let momentum: Double
  let epsilon: Double

  /// A norm that changes nothing yet: γ = 1, β = 0, mean 0, variance 1.
  ///
  /// - Parameter momentum: how far the running statistics move towards those of each training batch; 0: not at all, 1:
  ///   all the way
  public init(_ channels: Int, momentum: Double = 0.1, epsilon: Double = 1e-5) throws {
    weight = Parameter(try .ones([channels]))
    bias = Parameter(try .zeros([channels]))
    runningMean = Parameter(try .zeros([channels]), isTrainable: false)
    runningVar = Parameter(try .ones([channels]), isTrainable: false)
    numBatchesTracked = Parameter(try .zeros([], dtype: .int64), isTrainable: false)
    self.momentum = momentum
    self.epsilon = epsilon
  }

  /// The normalised channels. In modes other than evaluation the running statistics move.
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let rate: Double
    switch mode {
    case .evaluation: rate = 0
    case .training: rate = momentum
    case .reestimation(let batch): rate = 1 / Double(batch + 1)
    }
    if mode != .evaluation { try withoutGradients { _ = try numBatchesTracked.value.addInPlace(1) } }
    return try input.batchNorm(
      weight: weight.value, bias: bias.value, runningMean: runningMean.value, runningVariance: runningVar.value,
      training: mode != .evaluation, momentum: rate, epsilon: epsilon)
  }
}
