/// How a loss over examples becomes one value.
public enum Reduction: Int, Sendable {
  case none = 0
  case mean = 1
  case sum = 2
}

// What layers are made of. Pictures are [N, C, H, W] whatever their memory format.
extension Tensor {
  /// x · `weight`ᵀ + `bias`; x [..., in], `weight` [out, in], `bias` [out].
  public func linear(_ weight: Tensor, _ bias: Tensor? = nil) throws -> Tensor {
    try call("aten::linear", self, weight, bias)
  }

  /// Cross-correlation of [N, C, H, W] with `weight` [O, C / groups, kH, kW].
  public func conv2d(
    _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1
  ) throws -> Tensor {
    try call(
      "aten::conv2d", self, weight, bias, [stride, stride], [padding, padding], [dilation, dilation], groups)
  }

  /// max(conv2d(x) + other, 0) of an input [N, C, H, W], where oneDNN can do that without passes of its own for sum and maximum. It has no
  /// gradient.
  ///
  /// - Parameters:
  ///   - weight, bias, stride, padding, groups: as in `conv2d`
  ///   - other: of the result's shape [N, outputs, H', W']
  ///   - overwriting: whether the result may take the memory of `other`, which nobody reads any more
  /// - Throws: `TorchError` for shapes that do not fit.
  public func rectifiedConv2d(
    _ weight: Tensor, _ bias: Tensor?, adding other: Tensor? = nil, overwriting: Bool = false, stride: Int = 1,
    padding: Int = 0, groups: Int = 1
  ) throws -> Tensor {
    guard
      fusesConvolutions, overwriting || other == nil, device == .cpu, dtype == .float32, weight.dtype == .float32,
      autocastType() == nil
    else {
      let result = try conv2d(weight, bias, stride: stride, padding: padding, groups: groups)
      if let other { _ = try result.addInPlace(other) }
      return try result.reluInPlace()
    }
    let (strides, paddings, dilations) = ([stride, stride], [padding, padding], [1, 1])
    // Relu has no numbers and comes in one algorithm only.
    let (numbers, algorithm) = ([Int](), String?.none)
    guard let other else {
      return try call(
        "mkldnn::_convolution_pointwise", self, weight, bias, paddings, strides, dilations, groups, "relu", numbers,
        algorithm)
    }
    return try call(
      "mkldnn::_convolution_pointwise_.binary", other, self, weight, bias, paddings, strides, dilations, groups, "add",
      Double?.none, "relu", numbers, algorithm)
  }

  /// What a convolution's kernel sees at each place: [N, C, H, W] to [N, C · kH · kW, places].
  public func unfold(_ kernel: [Int], stride: [Int] = [1, 1], padding: [Int] = [0, 0], dilation: [Int] = [1, 1]) throws
    -> Tensor
  {
    try call("aten::im2col", self, kernel, dilation, padding, stride)
  }

  /// Batch normalisation over all but the second dimension.
  ///
  /// In training the batch's statistics normalise, and the running ones move towards them in place by `momentum`
  /// (the running variance towards the unbiased one); otherwise the running ones normalise.
  public func batchNorm(
    weight: Tensor?, bias: Tensor?, runningMean: Tensor?, runningVariance: Tensor?, training: Bool,
    momentum: Double = 0.1, epsilon: Double = 1e-5
  ) throws -> Tensor {
    if ForwardMode.isActive, !training, let runningMean, let runningVariance {
      return try plainBatchNorm(weight, bias, runningMean, runningVariance, epsilon: epsilon)
    }
    return try call(
      "aten::batch_norm", self, weight, bias, runningMean, runningVariance, training, momentum, epsilon, true)
  }
  public func layerNorm(_ shape: [Int], weight: Tensor?, bias: Tensor?, epsilon: Double = 1e-5) throws -> Tensor {
    if ForwardMode.isActive { return try plainLayerNorm(shape.count, weight, bias, epsilon: epsilon) }
    return try call("aten::layer_norm", self, shape, weight, bias, epsilon)
  }
  public func groupNorm(_ groups: Int, weight: Tensor?, bias: Tensor?, epsilon: Double = 1e-5) throws -> Tensor {
    try call("aten::group_norm", self, groups, weight, bias, epsilon)
  }
  public func relu() throws -> Tensor { try call("aten::relu", self) }

  /// The same in this tensor's own memory. What computed it must not need its result for the gradient: sums, convolutions and
  /// normalisations do not.
  @discardableResult public func reluInPlace() throws -> Tensor { try call("aten::relu_", self) }

  /// x·Φ(x), or its tanh approximation (GPT-2's).
  public func gelu(approximate: Bool = false) throws -> Tensor {
    try call("aten::gelu", self, approximate ? "tanh" : "none")
  }
  public func silu() throws -> Tensor { try call("aten::silu", self) }
  public func softmax(_ dimension: Int) throws -> Tensor { try call("aten::softmax.int", self, dimension) }
  public func logSoftmax(_ dimension: Int) throws -> Tensor { try call("aten::log_softmax.int", self, dimension) }
  public func maxPool2d(_ kernel: Int, stride: Int? = nil, padding: Int = 0) throws -> Tensor {
    let stride = stride ?? kernel
    return try call("aten::max_pool2d", self, [kernel, kernel], [stride, stride], [padding, padding])
  }
  public func averagePool2d(_ kernel: Int, stride: Int? = nil, padding: Int = 0) throws -> Tensor {
    let stride = stride ?? kernel
    return try call("aten::avg_pool2d", self, [kernel, kernel], [stride, stride], [padding, padding])
  }

  /// Means over windows that make `size` × `size` pixels of any picture: [N, C, H, W] to [N, C, size, size].
  public func adaptiveAveragePool2d(_ size: Int) throws -> Tensor {
    try call("aten::adaptive_avg_pool2d", self, [size, size])
  }

  /// The mean over height and width: [N, C, H, W] to [N, C].
  public func globalAveragePool() throws -> Tensor { try mean([-2, -1]) }

  /// [N, C, H, W] at another height and width by cubic interpolation, with the filter widened when the picture shrinks: PyTorch's
  /// `interpolate(mode="bicubic", antialias=True)`.
  public func resizedBicubic(height: Int, width: Int) throws -> Tensor {
    try call("aten::_upsample_bicubic2d_aa", self, [height, width], false, Double?.none, Double?.none)
  }

  /// Rows of a table [V, D] at integer indices of any shape.
  public static func embedding(_ table: Tensor, _ indices: Tensor) throws -> Tensor {
    try call("aten::embedding", table, indices)
  }

  /// softmax(Q·Kᵀ / √d) · V with queries, keys, values [..., T, d]; `causal` hides later positions.
  public static func attention(_ query: Tensor, _ key: Tensor, _ value: Tensor, causal: Bool = false) throws -> Tensor {
    if ForwardMode.isActive { return try plainAttention(query, key, value, causal: causal) }
    return try call("aten::scaled_dot_product_attention", query, key, value, Tensor?.none, 0.0, causal)
  }

  /// −log softmax(x)[label], in nats; logits [N, C], integer labels [N].
  public func crossEntropy(_ labels: Tensor, reduction: Reduction = .mean, labelSmoothing: Double = 0) throws -> Tensor
  {
    if ForwardMode.isActive, reduction == .mean, labelSmoothing == 0 { return try plainCrossEntropy(labels) }
    return try call("aten::cross_entropy_loss", self, labels, Tensor?.none, reduction.rawValue, -100, labelSmoothing)
  }
  public func meanSquaredError(_ target: Tensor, reduction: Reduction = .mean) throws -> Tensor {
    try call("aten::mse_loss", self, target, reduction.rawValue)
  }

  /// Zeroes each element with `probability` and scales the others to keep the mean.
  public func dropout(_ probability: Double, generator: Generator) throws -> Tensor {
    let keep = try Tensor.uniform(shape, generator: generator, dtype: .float32, device: device).greaterOrEqual(
      probability)
    return try self * keep.to(dtype) * (1 / (1 - probability))
  }
}

// Arithmetic over lists of tensors in few calls; each list holds tensors of the same shapes as its peers.
extension Array where Element == Tensor {
  public func adding(_ other: [Tensor], scale: Double = 1) throws -> [Tensor] {
    try callTensors("aten::_foreach_add.List", self, other, scale)
  }
  public func scaled(by value: Double) throws -> [Tensor] { try callTensors("aten::_foreach_mul.Scalar", self, value) }
  public func multiplied(by other: [Tensor]) throws -> [Tensor] {
    try callTensors("aten::_foreach_mul.List", self, other)
  }

  /// (1 − weight) · self + weight · other
  public func lerp(_ other: [Tensor], weight: Double) throws -> [Tensor] {
    try callTensors("aten::_foreach_lerp.Scalar", self, other, weight)
  }
  /// The same in place, exact at both ends.
  public func lerpInPlace(_ other: [Tensor], weight: Double) throws {
    _ = try callMany("aten::_foreach_lerp_.Scalar", self, other, weight)
  }
  public func addInPlace(_ other: [Tensor], scale: Double = 1) throws {
    _ = try callMany("aten::_foreach_add_.List", self, other, scale)
  }
  public func scaleInPlace(by value: Double) throws { _ = try callMany("aten::_foreach_mul_.Scalar", self, value) }
  public func copyInPlace(from other: [Tensor]) throws {
    guard !isEmpty else { return }
    _ = try callMany("aten::_foreach_copy_", self, other)
  }
  public func zeroInPlace() throws { _ = try callMany("aten::_foreach_zero_", self) }

  /// Multiplies each by a tensor of one element.
  public func scaleInPlace(by value: Tensor) throws { _ = try callMany("aten::_foreach_mul_.Tensor", self, value) }

  /// The Euclidean norm of each tensor.
  public func norms() throws -> [Tensor] { try callTensors("aten::_foreach_norm.Scalar", self, 2) }
}

private let fusesConvolutions =
  hasOperator("mkldnn::_convolution_pointwise") && hasOperator("mkldnn::_convolution_pointwise_.binary")
