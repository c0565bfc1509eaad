import Torch

/// A network that knows a faster way to its loss than through its logits.
public protocol LossNetwork: Module {
  /// The mean cross-entropy of the network's logits for `input` over all labels, in nats, and differentiable once.
  func meanCrossEntropy(_ input: Tensor, labels: Tensor, labelSmoothing: Double, _ mode: Mode) throws -> Tensor
}

extension Tensor {
  /// The mean cross-entropy of the logits x · `table`ᵀ, in nats; x [..., width], `table` [vocabulary, width], labels
  /// [...].
  ///
  /// Logits are many (tokens × vocabulary), and the plain way makes some five arrays of them, forwards and backwards.
  /// Here the gradient with respect to the logits, softmax − target, is worked out at once in their place, a block of
  /// rows at a time that the cache holds, and multiplied on to x and the table. The products have x's type, or
  /// autocast's.
  public func linearCrossEntropy(_ table: Tensor, labels: Tensor, labelSmoothing: Double = 0) throws -> Tensor {
    let x = try flatten(from: 0, to: -2)
    let (loss, gradients) = try withoutGradients {
      try gradientsOfLinearCrossEntropy(x.detach(), table.detach(), labels.flatten(), labelSmoothing: labelSmoothing)
    }
    // Of value 0, and with the gradients found.
    let carrier = try (x * gradients.0).sum() + (table * gradients.1).sum()
    return try loss + (carrier - carrier.detach())
  }
}

/// The loss, and its gradients with respect to x [rows, width] and the table.
private func gradientsOfLinearCrossEntropy(
  _ x: Tensor, _ table: Tensor, _ labels: Tensor, labelSmoothing: Double
) throws -> (loss: Tensor, gradients: (Tensor, Tensor)) {
  let type = autocastType(on: x.device) ?? x.dtype
  let (rows, columns) = (try x.to(type), try table.to(type))
  let (count, classes) = (try x.size(0), try table.size(0))
  guard labels.shape == [count] else {
    throw TorchError(
      operation: "linearCrossEntropy", message: "\(count) rows and labels of shape \(labels.shape); expected one a row",
      arguments: [x.shapeDescription, labels.shapeDescription])
  }
  let exact: DType = x.dtype == .float64 ? .float64 : .float32
  let logits = try rows.matmul(columns.transpose())
  let target = try Tensor.full([1, 1], labelSmoothing - 1, dtype: exact, device: x.device)
  var losses: [Tensor] = []
  let blockRows = max(1, (1 << 18) / max(1, classes))
  for start in stride(from: 0, to: count, by: blockRows) {
    let range = start..<min(start + blockRows, count)
    let wanted = try labels[range].unsqueeze(1)
    let block = try logits[range]
    let logarithms = try block.to(exact).logSoftmax(1)
    var loss = try logarithms.gather(1, wanted) * (labelSmoothing - 1)
    if labelSmoothing > 0 {
      loss = try loss - logarithms.sum([1], keep: true) * (labelSmoothing / Double(classes))
    }
    losses.append(loss)
    let gradient: Tensor = try call("aten::exp_", logarithms)
    if labelSmoothing > 0 { try gradient.addInPlace(-labelSmoothing / Double(classes)) }
    _ = try call("aten::scatter_add_", gradient, 1, wanted, target.expand([range.count, 1]))
    try block.copy(from: gradient)
  }
  let mean = 1 / Double(count)
  return (
    try Tensor.concatenate(losses).mean(),
    (
      try logits.matmul(columns).to(x.dtype).multiplyInPlace(mean),
      try logits.transpose().matmul(rows).to(table.dtype).multiplyInPlace(mean)
    )
  )
}
