import CTorch
import Synchronization

enum ForwardMode {
  /// libtorch numbers a process's differentiations and refuses a second one at the same time.
  static let lock = Mutex(())
  /// Whether this task is inside `directionalDerivative`.
  @TaskLocal static var isActive = false
}

/// The derivative of each result of `body` in a direction, d/dε body(x + ε t) at ε = 0, by forward-mode
/// differentiation; `torch.autograd.forward_ad`.
///
/// `body` may itself take gradients with respect to `inputs`. Forward over reverse mode gives a Hessian–vector product
/// at four times the cost of a gradient. It does not keep the gradient's graph, which takes several times the memory of
/// a forward pass.
///
/// Other tasks that call this wait until it ends.
///
/// - Parameters:
///   - inputs: x
///   - tangents: t, each of its input's shape and type
///   - body: is given x + ε t and must compute with that; the plain x may only say what gradients are with respect to
/// - Returns: the derivative of each result, zeros where it does not depend on x. Nothing is recorded for further
///   differentiation.
/// - Throws: `TorchError` for operators without a forward derivative, tangents that do not fit, and nested calls.
public func directionalDerivative(
  at inputs: [Tensor], along tangents: [Tensor], of body: ([Tensor]) throws -> [Tensor]
) throws -> [Tensor] {
  guard inputs.count == tangents.count, zip(inputs, tangents).allSatisfy({ $0.shape == $1.shape }) else {
    throw TorchError(
      operation: "directionalDerivative", message: "every input needs a tangent of its shape",
      arguments: (inputs + tangents).map(\.shapeDescription))
  }
  guard !ForwardMode.isActive else {
    throw TorchError(operation: "directionalDerivative", message: "calls cannot be nested")
  }
  return try ForwardMode.lock.withLock { _ in
    var level: UInt64 = 0
    try check(libtorch.enter_dual_level(&level), "directionalDerivative", inputs)
    defer { _ = libtorch.exit_dual_level(level) }
    return try ForwardMode.$isActive.withValue(true) {
      let duals = try zip(inputs, tangents).map { try call("aten::_make_dual", $0, $1, Int(level)) }
      return try body(duals).map { result in
        let parts = try callTensors("aten::_unpack_dual", result, Int(level))
        return try parts.count == 2 ? parts[1].detach().clone() : result.detach().zerosLike()
      }
    }
  }
}

// Operators whose gradients have no forward derivative in libtorch, composed of operators that have one.
extension Tensor {
  /// `attention` with the whole matrix of weights, and softmax written as exp(x − log Σ exp x).
  static func plainAttention(_ query: Tensor, _ key: Tensor, _ value: Tensor, causal: Bool) throws -> Tensor {
    let width = query.shape[query.rank - 1]
    var scores = try (query * (1 / Double(width).squareRoot())).matmul(key.transpose())
    if causal {
      let (rows, columns) = (query.shape[query.rank - 2], key.shape[key.rank - 2])
      let isLater = try Tensor.ones([rows, columns], dtype: .bool, device: query.device).upperTriangle(1)
      // Not infinite: its weight is 0 all the same, and so are the derivatives.
      scores = try scores.maskedFill(isLater, -1e9)
    }
    return try (scores - scores.logSumExp([-1], keep: true)).exp().matmul(value)
  }

  /// `batchNorm` in evaluation mode, of [N, C, …].
  func plainBatchNorm(_ weight: Tensor?, _ bias: Tensor?, _ mean: Tensor, _ variance: Tensor, epsilon: Double) throws
    -> Tensor
  {
    var scale = try (variance + epsilon).rsqrt()
    if let weight { scale = try scale * weight }
    var shift = try mean * scale * -1
    if let bias { shift = try shift + bias }
    let shape = [1, mean.count] + [Int](repeating: 1, count: rank - 2)
    return try self * scale.view(shape) + shift.view(shape)
  }

  /// `layerNorm` over the last `count` dimensions.
  func plainLayerNorm(_ count: Int, _ weight: Tensor?, _ bias: Tensor?, epsilon: Double) throws -> Tensor {
    let dimensions = (1...count).map { -$0 }
    let centred = try self - mean(dimensions, keep: true)
    var result = try centred * ((centred * centred).mean(dimensions, keep: true) + epsilon).rsqrt()
    if let weight { result = try result * weight }
    if let bias { result = try result + bias }
    return result
  }

  /// `crossEntropy`, the mean over labels: log Σ exp x − x[label].
  func plainCrossEntropy(_ labels: Tensor) throws -> Tensor {
    try (logSumExp([1]) - gather(1, labels.unsqueeze(1)).squeeze(1)).mean()
  }
}
