/// How the losses of examples become the value of a loss; PyTorch's argument `reduction`.
public enum Reduction: Int, Sendable {
  /// One value for each example.
  case none = 0
  /// The mean over examples.
  case mean = 1
  /// The sum over examples.
  case sum = 2
}

// What layers are made of. Pictures have the sizes [N, C, H, W] whatever their memory format.
extension Tensor {
  /// x · `weight`ᵀ + `bias`, [..., out], for x [..., in], `weight` [out, in] and `bias` [out];
  /// `torch.nn.functional.linear`.
  public func linear(_ weight: Tensor, _ bias: Tensor? = nil) throws -> Tensor {
    try call("aten::linear", self, weight, bias)
  }

  /// The cross-correlation of [N, C, H, W] with `weight` [O, C / groups, kH, kW], plus `bias` [O]; `torch.conv2d`.
  ///
  /// The result is [N, O, H', W'] with H' = ⌊(H + 2 · padding − dilation · (kH − 1) − 1) / stride⌋ + 1, and W'
  /// likewise.
  ///
  /// - Parameters:
  ///   - weight: the kernels, one for each output channel
  ///   - bias: what is added to each output channel; nil: nothing
  ///   - stride: pixels from one place of the kernel to the next, both ways
  ///   - padding: rows and columns of zeros on every side
  ///   - dilation: pixels from one element of the kernel to the next, both ways
  ///   - groups: parts into which the channels are divided; outputs of a part see only its inputs
  public func conv2d(
    _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1
  ) throws -> Tensor {
    try call(
      "aten::conv2d", self, weight, bias, [stride, stride], [padding, padding], [dilation, dilation], groups)
  }

  /// max(conv2d(x) + other, 0) of an input [N, C, H, W]. Where oneDNN can, it does so without a pass of its own for the
  /// sum and the maximum. It has no gradient.
  ///
  /// - Parameters:
  ///   - weight: as in ``conv2d(_:_:stride:padding:dilation:groups:)``
  ///   - bias: as in ``conv2d(_:_:stride:padding:dilation:groups:)``
  ///   - other: what is added, of the result's shape [N, O, H', W']; nil: nothing
  ///   - overwriting: whether the result may take the memory of `other`, which must not be read afterwards
  ///   - stride: as in ``conv2d(_:_:stride:padding:dilation:groups:)``
  ///   - padding: as in ``conv2d(_:_:stride:padding:dilation:groups:)``
  ///   - groups: as in ``conv2d(_:_:stride:padding:dilation:groups:)``
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
    // Relu takes no numbers and has only one algorithm.
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

  /// What a convolution's kernel sees at each of its places: [N, C, H, W] to [N, C · kH · kW, places];
  /// `torch.nn.functional.unfold`.
  public func unfold(_ kernel: [Int], stride: [Int] = [1, 1], padding: [Int] = [0, 0], dilation: [Int] = [1, 1]) throws
    -> Tensor
  {
    try call("aten::im2col", self, kernel, dilation, padding, stride)
  }

  /// Batch normalisation (x − mean) / √(variance + ε) · weight + bias over all dimensions but the second, of [N, C, …];
  /// `torch.nn.functional.batch_norm`.
  ///
  /// In training, the batch's own statistics are used, and the running ones move towards them in place by the fraction
  /// `momentum` (the running variance towards the unbiased one). Otherwise the running ones are used.
  ///
  /// - Parameters:
  ///   - weight: [C]; nil: 1
  ///   - bias: [C]; nil: 0
  ///   - runningMean: [C]
  ///   - runningVariance: [C]
  ///   - training: whether the batch's statistics are used
  ///   - momentum: 0: the running statistics stay; 1: they become the batch's
  ///   - epsilon: ε
  /// - Throws: `TorchError` for sizes that do not fit, and in evaluation without running statistics.
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

  /// Layer normalisation (x − mean) / √(variance + ε) · weight + bias over the last dimensions, whose sizes are
  /// `shape`, of each example alone; `torch.nn.functional.layer_norm`.
  ///
  /// - Parameters:
  ///   - shape: sizes of the last dimensions
  ///   - weight: of that shape; nil: 1
  ///   - bias: of that shape; nil: 0
  ///   - epsilon: ε
  public func layerNorm(_ shape: [Int], weight: Tensor?, bias: Tensor?, epsilon: Double = 1e-5) throws -> Tensor {
    if ForwardMode.isActive { return try plainLayerNorm(shape.count, weight, bias, epsilon: epsilon) }
    return try call("aten::layer_norm", self, shape, weight, bias, epsilon)
  }

  /// Normalisation as in `layerNorm`, but over each of `groups` equal groups of channels with all their pixels, of
  /// [N, C, …]; `weight` and `bias` are [C]. `torch.nn.functional.group_norm`.
  ///
  /// - Throws: `TorchError` when the channels cannot be divided into so many groups.
  public func groupNorm(_ groups: Int, weight: Tensor?, bias: Tensor?, epsilon: Double = 1e-5) throws -> Tensor {
    try call("aten::group_norm", self, groups, weight, bias, epsilon)
  }

  /// max(xᵢ, 0), in the same type; `torch.relu`.
  public func relu() throws -> Tensor { try call("aten::relu", self) }

  /// max(xᵢ, 0) in this tensor's own memory; `torch.relu_`. Whatever computed it must not need its result for the
  /// gradient: sums, convolutions and normalisations do not.
  ///
  /// - Returns: this tensor.
  @discardableResult public func reluInPlace() throws -> Tensor { try call("aten::relu_", self) }

  /// xᵢ · Φ(xᵢ), where Φ is the standard normal distribution, or the approximation of it by tanh that GPT-2 uses;
  /// `torch.nn.functional.gelu`.
  public func gelu(approximate: Bool = false) throws -> Tensor {
    try call("aten::gelu", self, approximate ? "tanh" : "none")
  }

  /// xᵢ / (1 + e^−xᵢ), also called swish; `torch.nn.functional.silu`.
  public func silu() throws -> Tensor { try call("aten::silu", self) }

  /// exp xᵢ / Σⱼ exp xⱼ along a dimension; `torch.softmax`.
  public func softmax(_ dimension: Int) throws -> Tensor { try call("aten::softmax.int", self, dimension) }

  /// xᵢ − log Σⱼ exp xⱼ along a dimension; `torch.log_softmax`.
  public func logSoftmax(_ dimension: Int) throws -> Tensor { try call("aten::log_softmax.int", self, dimension) }

  /// The maximum over windows of `kernel` × `kernel` pixels: [N, C, H, W] to [N, C, H', W'] with
  /// H' = ⌊(H + 2 · padding − kernel) / stride⌋ + 1. `torch.max_pool2d`.
  ///
  /// - Parameters:
  ///   - kernel: pixels a side
  ///   - stride: pixels from one window to the next; nil: `kernel`, so that windows do not overlap
  ///   - padding: rows and columns of −∞ on every side, at most half of `kernel`
  public func maxPool2d(_ kernel: Int, stride: Int? = nil, padding: Int = 0) throws -> Tensor {
    let stride = stride ?? kernel
    return try call("aten::max_pool2d", self, [kernel, kernel], [stride, stride], [padding, padding])
  }

  /// The mean over windows of `kernel` × `kernel` pixels, zeros of the padding included: [N, C, H, W] to [N, C, H',
  /// W'], sizes as in `maxPool2d`. `torch.nn.functional.avg_pool2d`.
  ///
  /// - Parameters:
  ///   - kernel: pixels a side
  ///   - stride: pixels from one window to the next; nil: `kernel`, so that windows do not overlap
  ///   - padding: rows and columns of zeros on every side, at most half of `kernel`
  public func averagePool2d(_ kernel: Int, stride: Int? = nil, padding: Int = 0) throws -> Tensor {
    let stride = stride ?? kernel
    return try call("aten::avg_pool2d", self, [kernel, kernel], [stride, stride], [padding, padding])
  }

  /// Means over windows chosen so that every picture comes out at `size` × `size` pixels: [N, C, H, W] to
  /// [N, C, size, size]. `torch.nn.functional.adaptive_avg_pool2d`.
  public func adaptiveAveragePool2d(_ size: Int) throws -> Tensor {
    try call("aten::adaptive_avg_pool2d", self, [size, size])
  }

  /// The mean over height and width: [N, C, H, W] to [N, C].
  public func globalAveragePool() throws -> Tensor { try mean([-2, -1]) }

  /// [N, C, H, W] at another height and width by cubic interpolation, with the filter widened where the picture
  /// shrinks; `torch.nn.functional.interpolate(mode="bicubic", antialias=True)`.
  public func resizedBicubic(height: Int, width: Int) throws -> Tensor {
    try call("aten::_upsample_bicubic2d_aa", self, [height, width], false, Double?.none, Double?.none)
  }

  /// The rows of a table [V, D] at integer indices of any shape: [...] to [..., D]; `torch.nn.functional.embedding`.
  ///
  /// - Throws: `TorchError` for an index outside 0 ..< V.
  public static func embedding(_ table: Tensor, _ indices: Tensor) throws -> Tensor {
    try call("aten::embedding", table, indices)
  }

  /// softmax(Q·Kᵀ / √d) · V with queries, keys and values [..., T, d];
  /// `torch.nn.functional.scaled_dot_product_attention`. If it is `causal`, a position sees only itself and those
  /// before it.
  public static func attention(_ query: Tensor, _ key: Tensor, _ value: Tensor, causal: Bool = false) throws -> Tensor {
    if ForwardMode.isActive { return try plainAttention(query, key, value, causal: causal) }
    return try call("aten::scaled_dot_product_attention", query, key, value, Tensor?.none, 0.0, causal)
  }

  /// −Σ q log softmax(x) in nats, for logits [N, C] and labels [N] int64; `torch.nn.functional.cross_entropy`.
  ///
  /// - Parameters:
  ///   - labels: classes, below C; an example labelled −100 does not count
  ///   - reduction: `.none` gives [N], the others a tensor without dimensions
  ///   - labelSmoothing: s in the target q = 1 − s + s / C at the label, s / C elsewhere
  /// - Throws: `TorchError` for any other label outside 0 ..< C.
  public func crossEntropy(_ labels: Tensor, reduction: Reduction = .mean, labelSmoothing: Double = 0) throws -> Tensor
  {
    if ForwardMode.isActive, reduction == .mean, labelSmoothing == 0 { return try plainCrossEntropy(labels) }
    return try call("aten::cross_entropy_loss", self, labels, Tensor?.none, reduction.rawValue, -100, labelSmoothing)
  }

  /// (xᵢ − targetᵢ)², averaged, summed or neither; `torch.nn.functional.mse_loss`.
  public func meanSquaredError(_ target: Tensor, reduction: Reduction = .mean) throws -> Tensor {
    try call("aten::mse_loss", self, target, reduction.rawValue)
  }
}

// Arithmetic over lists of tensors in few calls. Lists have the same shapes in the same order; `TorchError` is thrown
// for lists of different lengths and, but by `copyInPlace`, for empty ones.
extension Array where Element == Tensor {
  /// selfᵢ + `scale` · otherᵢ for every tensor; `torch._foreach_add`.
  public func adding(_ other: [Tensor], scale: Double = 1) throws -> [Tensor] {
    try callTensors("aten::_foreach_add.List", self, other, scale)
  }

  /// `value` · selfᵢ for every tensor; `torch._foreach_mul`.
  public func scaled(by value: Double) throws -> [Tensor] { try callTensors("aten::_foreach_mul.Scalar", self, value) }

  /// selfᵢ · otherᵢ, element by element, for every tensor; `torch._foreach_mul`.
  public func multiplied(by other: [Tensor]) throws -> [Tensor] {
    try callTensors("aten::_foreach_mul.List", self, other)
  }

  /// (1 − `weight`) · selfᵢ + `weight` · otherᵢ for every tensor, exact at both ends; `torch._foreach_lerp`.
  public func lerp(_ other: [Tensor], weight: Double) throws -> [Tensor] {
    try callTensors("aten::_foreach_lerp.Scalar", self, other, weight)
  }

  /// The same as `lerp`, in these tensors' memory; `torch._foreach_lerp_`.
  public func lerpInPlace(_ other: [Tensor], weight: Double) throws {
    _ = try callMany("aten::_foreach_lerp_.Scalar", self, other, weight)
  }

  /// selfᵢ += `scale` · otherᵢ for every tensor; `torch._foreach_add_`.
  public func addInPlace(_ other: [Tensor], scale: Double = 1) throws {
    _ = try callMany("aten::_foreach_add_.List", self, other, scale)
  }

  /// selfᵢ ∗= `value` for every tensor; `torch._foreach_mul_`.
  public func scaleInPlace(by value: Double) throws { _ = try callMany("aten::_foreach_mul_.Scalar", self, value) }

  /// Overwrites every tensor with its counterpart in `other`, converted to its type; `torch._foreach_copy_`.
  public func copyInPlace(from other: [Tensor]) throws {
    guard !isEmpty else { return }
    _ = try callMany("aten::_foreach_copy_", self, other)
  }

  /// Overwrites every element with 0; `torch._foreach_zero_`.
  public func zeroInPlace() throws { _ = try callMany("aten::_foreach_zero_", self) }

  /// selfᵢ ∗= `value`, a tensor of one element, for every tensor; `torch._foreach_mul_`.
  public func scaleInPlace(by value: Tensor) throws { _ = try callMany("aten::_foreach_mul_.Tensor", self, value) }

  /// The Euclidean norm of each tensor, a tensor without dimensions each; `torch._foreach_norm`.
  public func norms() throws -> [Tensor] { try callTensors("aten::_foreach_norm.Scalar", self, 2) }
}

private let fusesConvolutions =
  hasOperator("mkldnn::_convolution_pointwise") && hasOperator("mkldnn::_convolution_pointwise_.binary")
