// Sums and the like. A dimension counts from the end where it is negative. It goes away unless `keep` is true: then its
// size becomes 1. `TorchError` is thrown for a dimension that there is not.
extension Tensor {
  /// The sum of all elements, a tensor without dimensions; `torch.sum`.
  ///
  /// - Parameter dtype: the type to add in; nil: int64 for integers and truth values, otherwise this tensor's
  public func sum(dtype: DType? = nil) throws -> Tensor { try call("aten::sum", self, dtype) }

  /// Sums over dimensions; `torch.sum`.
  ///
  /// - Parameters:
  ///   - dimensions: none: all of them
  ///   - keep: whether the dimensions stay, with size 1
  ///   - dtype: the type to add in; nil: int64 for integers and truth values, otherwise this tensor's
  public func sum(_ dimensions: [Int], keep: Bool = false, dtype: DType? = nil) throws -> Tensor {
    try call("aten::sum.dim_IntList", self, dimensions, keep, dtype)
  }

  /// The mean of all elements, a tensor without dimensions; `torch.mean`.
  ///
  /// - Parameter dtype: the floating-point type to add in; nil: this tensor's
  /// - Throws: `TorchError` for integers without a `dtype`.
  public func mean(dtype: DType? = nil) throws -> Tensor { try call("aten::mean", self, dtype) }

  /// Means over dimensions; `torch.mean`.
  ///
  /// - Parameters:
  ///   - dimensions: none: all of them
  ///   - keep: whether the dimensions stay, with size 1
  ///   - dtype: the floating-point type to add in; nil: this tensor's
  /// - Throws: `TorchError` for integers without a `dtype`.
  public func mean(_ dimensions: [Int], keep: Bool = false, dtype: DType? = nil) throws -> Tensor {
    try call("aten::mean.dim", self, dimensions, keep, dtype)
  }

  /// Σ (xᵢ − mean)² / (n − `correction`) over dimensions, where n is the number of elements; `torch.var`.
  ///
  /// - Parameters:
  ///   - dimensions: none: all of them
  ///   - correction: 1 gives the unbiased estimate, 0 the variance of the elements themselves
  ///   - keep: whether the dimensions stay, with size 1
  /// - Throws: `TorchError` for integers.
  public func variance(_ dimensions: [Int], correction: Double = 1, keep: Bool = false) throws -> Tensor {
    try call("aten::var.correction", self, dimensions, correction, keep)
  }

  /// The square root of the variance over dimensions; parameters as in `variance`. `torch.std`.
  ///
  /// - Throws: `TorchError` for integers.
  public func standardDeviation(_ dimensions: [Int], correction: Double = 1, keep: Bool = false) throws -> Tensor {
    try call("aten::std.correction", self, dimensions, correction, keep)
  }

  /// The product of all elements, a tensor without dimensions, int64 for integers; `torch.prod`.
  public func product() throws -> Tensor { try call("aten::prod", self) }

  /// The largest element, a tensor without dimensions; NaN if any is. `torch.max`.
  ///
  /// - Throws: `TorchError` when there are no elements.
  public func max() throws -> Tensor { try call("aten::max", self) }

  /// The smallest element, a tensor without dimensions; NaN if any is. `torch.min`.
  ///
  /// - Throws: `TorchError` when there are no elements.
  public func min() throws -> Tensor { try call("aten::min", self) }

  /// The largest elements over dimensions, or over all of them if none is named; `torch.amax`.
  public func max(_ dimensions: [Int], keep: Bool = false) throws -> Tensor {
    try call("aten::amax", self, dimensions, keep)
  }

  /// The smallest elements over dimensions, or over all of them if none is named; `torch.amin`.
  public func min(_ dimensions: [Int], keep: Bool = false) throws -> Tensor {
    try call("aten::amin", self, dimensions, keep)
  }

  /// The index of the largest element along a dimension, the first of equal ones; int64. `torch.argmax`.
  public func argmax(_ dimension: Int, keep: Bool = false) throws -> Tensor {
    try call("aten::argmax", self, dimension, keep)
  }

  /// The index of the smallest element along a dimension, the first of equal ones; int64. `torch.argmin`.
  public func argmin(_ dimension: Int, keep: Bool = false) throws -> Tensor {
    try call("aten::argmin", self, dimension, keep)
  }

  /// Whether every element is non-zero, a boolean tensor without dimensions; true if there are none. `torch.all`.
  public func all() throws -> Tensor { try call("aten::all", self) }

  /// Whether any element is non-zero, a boolean tensor without dimensions; `torch.any`.
  public func any() throws -> Tensor { try call("aten::any", self) }

  /// How many elements are not 0, an int64 tensor without dimensions; `torch.count_nonzero`.
  public func countNonzero() throws -> Tensor { try call("aten::count_nonzero", self) }

  /// log Σ exp xᵢ over dimensions, of which there is at least one, computed without overflow; `torch.logsumexp`.
  public func logSumExp(_ dimensions: [Int], keep: Bool = false) throws -> Tensor {
    try call("aten::logsumexp", self, dimensions, keep)
  }

  /// The sum of each element and those before it along a dimension, of this tensor's shape; `torch.cumsum`.
  ///
  /// - Parameters:
  ///   - dimension: along which to add
  ///   - dtype: the type to add in; nil: int64 for integers, otherwise this tensor's
  public func cumulativeSum(_ dimension: Int, dtype: DType? = nil) throws -> Tensor {
    try call("aten::cumsum", self, dimension, dtype)
  }

  /// (Σ |xᵢ|ᵖ)^(1/p) over all elements, a tensor without dimensions; `torch.linalg.vector_norm`.
  ///
  /// - Parameters:
  ///   - p: 2: the Euclidean norm; infinite: the largest |xᵢ|
  ///   - dtype: the floating-point type to add in; nil: this tensor's
  /// - Throws: `TorchError` for integers.
  public func norm(_ p: Double = 2, dtype: DType? = nil) throws -> Tensor {
    try call("aten::linalg_vector_norm", self, p, [Int]?.none, false, dtype)
  }

  /// (Σ |xᵢ|ᵖ)^(1/p) over dimensions; parameters as in `norm` of all elements. `torch.linalg.vector_norm`.
  ///
  /// - Throws: `TorchError` for integers.
  public func norm(_ p: Double = 2, dimensions: [Int], keep: Bool = false, dtype: DType? = nil) throws -> Tensor {
    try call("aten::linalg_vector_norm", self, p, dimensions, keep, dtype)
  }

  /// The elements in rising order along a dimension, and the index each had, int64; equal ones keep their order.
  /// `torch.sort(stable=True)`.
  public func sorted(_ dimension: Int = -1, descending: Bool = false) throws -> (values: Tensor, indices: Tensor) {
    try pair(callTensors("aten::sort.stable", self, true, dimension, descending), "aten::sort")
  }

  /// The `count` largest (or smallest) elements along a dimension, the most extreme first, and the index each had,
  /// int64; `torch.topk`.
  ///
  /// - Throws: `TorchError` when there are fewer.
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
