// Views, joins and indexing. Views share the elements.
extension Tensor {
  /// The same elements in row-major order under another shape; −1 stands for what is left.
  public func reshape(_ shape: [Int]) throws -> Tensor { try call("aten::reshape", self, shape) }

  /// Like `reshape`, but fails instead of copying.
  public func view(_ shape: [Int]) throws -> Tensor { try call("aten::view", self, shape) }
  public func flatten(from start: Int = 0, to end: Int = -1) throws -> Tensor {
    try call("aten::flatten.using_ints", self, start, end)
  }
  /// A view with other strides, in elements; from the first element on, within the elements there are.
  public func strided(_ shape: [Int], strides: [Int]) throws -> Tensor {
    try call("aten::as_strided", self, shape, strides)
  }
  public func permute(_ order: [Int]) throws -> Tensor { try call("aten::permute", self, order) }
  public func transpose(_ a: Int = -2, _ b: Int = -1) throws -> Tensor { try call("aten::transpose.int", self, a, b) }
  public func unsqueeze(_ dimension: Int) throws -> Tensor { try call("aten::unsqueeze", self, dimension) }
  public func squeeze(_ dimension: Int) throws -> Tensor { try call("aten::squeeze.dim", self, dimension) }
  public func expand(_ shape: [Int]) throws -> Tensor { try call("aten::expand", self, shape) }

  /// `count` indices of a dimension from `start` on.
  public func narrow(_ dimension: Int, from start: Int, count: Int) throws -> Tensor {
    try call("aten::narrow", self, dimension, start, count)
  }

  /// One index of a dimension, which goes away.
  public func select(_ dimension: Int, _ index: Int) throws -> Tensor {
    try call("aten::select.int", self, dimension, index)
  }

  /// Every `step`th index of a dimension in `range`.
  public func slice(_ dimension: Int, _ range: Range<Int>, step: Int = 1) throws -> Tensor {
    try call("aten::slice.Tensor", self, dimension, range.lowerBound, range.upperBound, step)
  }

  /// One index of the first dimension.
  public subscript(index: Int) -> Tensor { get throws { try select(0, index) } }

  /// A range of the first dimension.
  public subscript(range: Range<Int>) -> Tensor { get throws { try slice(0, range) } }

  /// Pieces of at most `size` along a dimension.
  public func split(_ size: Int, dimension: Int = 0) throws -> [Tensor] {
    try callTensors("aten::split.Tensor", self, size, dimension)
  }
  public func split(sizes: [Int], dimension: Int = 0) throws -> [Tensor] {
    try callTensors("aten::split_with_sizes", self, sizes, dimension)
  }

  /// At most `count` equal pieces along a dimension; the last may be smaller.
  public func chunk(_ count: Int, dimension: Int = 0) throws -> [Tensor] {
    try callTensors("aten::chunk", self, count, dimension)
  }

  /// Every index of a dimension on its own, without it.
  public func unbind(_ dimension: Int = 0) throws -> [Tensor] { try callTensors("aten::unbind.int", self, dimension) }
  public static func concatenate(_ tensors: [Tensor], dimension: Int = 0) throws -> Tensor {
    try call("aten::cat", tensors, dimension)
  }
  public static func stack(_ tensors: [Tensor], dimension: Int = 0) throws -> Tensor {
    try call("aten::stack", tensors, dimension)
  }

  /// The given indices of one dimension, in that order.
  public func indexSelect(_ dimension: Int, _ indices: Tensor) throws -> Tensor {
    try call("aten::index_select", self, dimension, indices)
  }

  /// Elements at `indices`, one index tensor a dimension (nil: the whole of it), broadcast against each other.
  public func index(_ indices: [Tensor?]) throws -> Tensor { try call("aten::index.Tensor", self, indices) }

  /// Along `dimension`, the element that `indices` (of the result's shape) names.
  public func gather(_ dimension: Int, _ indices: Tensor) throws -> Tensor {
    try call("aten::gather", self, dimension, indices)
  }

  /// A copy with `source` written where `indices` names along `dimension`.
  public func scatter(_ dimension: Int, _ indices: Tensor, _ source: Tensor) throws -> Tensor {
    try call("aten::scatter.src", self, dimension, indices, source)
  }
  public func maskedFill(_ mask: Tensor, _ value: Double) throws -> Tensor {
    try call("aten::masked_fill.Scalar", self, mask, value)
  }
  public func maskedSelect(_ mask: Tensor) throws -> Tensor { try call("aten::masked_select", self, mask) }
  public func flip(_ dimensions: [Int]) throws -> Tensor { try call("aten::flip", self, dimensions) }
  public func roll(_ shifts: [Int], _ dimensions: [Int]) throws -> Tensor {
    try call("aten::roll", self, shifts, dimensions)
  }

  /// Rows and columns of `value` around the last dimensions: [left, right, top, bottom, …].
  public func pad(_ amounts: [Int], value: Double = 0) throws -> Tensor {
    try call("aten::constant_pad_nd", self, amounts, value)
  }
  public func lowerTriangle(_ diagonal: Int = 0) throws -> Tensor { try call("aten::tril", self, diagonal) }
  public func upperTriangle(_ diagonal: Int = 0) throws -> Tensor { try call("aten::triu", self, diagonal) }
  public func diagonal() throws -> Tensor { try call("aten::diagonal", self) }

  /// 1 at each element's class and 0 elsewhere; [..., classes] int64.
  public func oneHot(_ classes: Int) throws -> Tensor { try call("aten::one_hot", self, classes) }
}
