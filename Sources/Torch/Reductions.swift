// Sums and the like, over all elements or over dimensions (negative ones count from the end).
extension Tensor {
  public func sum(dtype: DType? = nil) throws -> Tensor { try call("aten::sum", self, dtype) }
  public func sum(_ dimensions: [Int], keep: Bool = false, dtype: DType? = nil) throws -> Tensor {
    try call("aten::sum.dim_IntList", self, dimensions, keep, dtype)
  }
  public func mean(dtype: DType? = nil) throws -> Tensor { try call("aten::mean", self, dtype) }
  public func mean(_ dimensions: [Int], keep: Bool = false, dtype: DType? = nil) throws -> Tensor {
    try call("aten::mean.dim", self, dimensions, keep, dtype)
  }

  /// The variance with `count` − `correction` in the denominator.
  public func variance(_ dimensions: [Int], correction: Double = 1, keep: Bool = false) throws -> Tensor {
    try call("aten::var.correction", self, dimensions, correction, keep)
  }
  public func standardDeviation(_ dimensions: [Int], correction: Double = 1, keep: Bool = false) throws -> Tensor {
    try call("aten::std.correction", self, dimensions, correction, keep)
  }
  public func product() throws -> Tensor { try call("aten::prod", self) }
  public func max() throws -> Tensor { try call("aten::max", self) }
  public func min() throws -> Tensor { try call("aten::min", self) }
  public func max(_ dimensions: [Int], keep: Bool = false) throws -> Tensor {
    try call("aten::amax", self, dimensions, keep)
  }
  public func min(_ dimensions: [Int], keep: Bool = false) throws -> Tensor {
    try call("aten::amin", self, dimensions, keep)
  }

  /// The index of the largest element along a dimension; the first of equals.
  public func argmax(_ dimension: Int, keep: Bool = false) throws -> Tensor {
    try call("aten::argmax", self, dimension, keep)
  }
  public func argmin(_ dimension: Int, keep: Bool = false) throws -> Tensor {
    try call("aten::argmin", self, dimension, keep)
  }
  public func all() throws -> Tensor { try call("aten::all", self) }
  public func any() throws -> Tensor { try call("aten::any", self) }
  public func countNonzero() throws -> Tensor { try call("aten::count_nonzero", self) }

  /// log Σ exp along dimensions.
  public func logSumExp(_ dimensions: [Int], keep: Bool = false) throws -> Tensor {
    try call("aten::logsumexp", self, dimensions, keep)
  }
  public func cumulativeSum(_ dimension: Int, dtype: DType? = nil) throws -> Tensor {
    try call("aten::cumsum", self, dimension, dtype)
  }

  /// The ‖·‖ₚ of the elements, flattened.
  public func norm(_ p: Double = 2, dtype: DType? = nil) throws -> Tensor {
    try call("aten::linalg_vector_norm", self, p, [Int]?.none, false, dtype)
  }
  public func norm(_ p: Double = 2, dimensions: [Int], keep: Bool = false, dtype: DType? = nil) throws -> Tensor {
    try call("aten::linalg_vector_norm", self, p, dimensions, keep, dtype)
  }

  /// Values in order along a dimension, and where each stood.
  public func sorted(_ dimension: Int = -1, descending: Bool = false) throws -> (values: Tensor, indices: Tensor) {
    try pair(callTensors("aten::sort.stable", self, true, dimension, descending), "aten::sort")
  }

  /// The `count` largest (or smallest) values along a dimension, and where each stood.
  public func top(_ count: Int, dimension: Int = -1, largest: Bool = true) throws -> (values: Tensor, indices: Tensor) {
    try pair(callTensors("aten::topk", self, count, dimension, largest, true), "aten::topk")
  }
}

/// The two tensors an operator returned.
func pair(_ results: [Tensor], _ operation: String) throws -> (Tensor, Tensor) {
  guard results.count == 2 else {
    throw TorchError(operation: operation, message: "returned \(results.count) tensors, not 2")
  }
  return (results[0], results[1])
}

/// The three tensors an operator returned.
func triple(_ results: [Tensor], _ operation: String) throws -> (Tensor, Tensor, Tensor) {
  guard results.count == 3 else {
    throw TorchError(operation: operation, message: "returned \(results.count) tensors, not 3")
  }
  return (results[0], results[1], results[2])
}
