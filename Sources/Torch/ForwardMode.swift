import CTorch
import Synchronization

enum ForwardMode {
  /// libtorch numbers the differentiations of a process and refuses a second one at the same time.
  static let lock = Mutex(())
  /// Whether this task is inside `directionalDerivative`.
  @TaskLocal static var isActive = false
}

/// The derivative of each result of `body` in the direction given, d/dε body(x + ε t) at ε = 0, by forward-mode differentiation.
///
/// `body` may itself take gradients with respect to `inputs`: forward over reverse mode gives a Hessian–vector product at four times
/// the cost of a gradient and without keeping the graph of the gradient, which takes several times a forward pass's memory.
///
/// - Parameters:
///   - inputs: x
///   - tangents: t, each of the shape and type of its input
///   - body: is given x + ε t, and must use that where it means x, other than to say what gradients are with respect to
/// - Returns: of each result its derivative, zeros where it does not depend on x. Nothing is recorded for further differentiation.
/// - Throws: `TorchError` for operators that have no forward derivative. Other tasks that call this wait until it ends; calls must not
///   be nested.
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

// Operators whose gradients have no forward derivative in libtorch, made of some that have.
extension Tensor {
  /// `attention` with the whole matrix of weights, and softmax as exp(x − log Σ exp x).
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

  /// `batchNorm` in evaluation, of [N, C, …].
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
