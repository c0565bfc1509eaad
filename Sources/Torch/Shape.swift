// Views, joins and indexing. A view shares the elements: writing to one writes to the other. A dimension counts from
// the end where it is negative. `TorchError` is thrown for a dimension or an index that there is not.
extension Tensor {
  /// The same elements in row-major order under another shape: a view where the layout allows it, otherwise a copy.
  /// `torch.reshape`.
  ///
  /// - Parameter shape: one size may be −1, which stands for what is left
  /// - Throws: `TorchError` when the shape has another number of elements.
  public func reshape(_ shape: [Int]) throws -> Tensor { try call("aten::reshape", self, shape) }

  /// A view of the same elements under another shape, as in `reshape`; `torch.Tensor.view`.
  ///
  /// - Throws: `TorchError` where the layout would make a copy necessary.
  public func view(_ shape: [Int]) throws -> Tensor { try call("aten::view", self, shape) }

  /// The dimensions from `start` to `end`, both included, joined into one: [N, C, H, W] from 1 on is [N, C · H · W]. A
  /// view where the layout allows it. `torch.flatten`.
  public func flatten(from start: Int = 0, to end: Int = -1) throws -> Tensor {
    try call("aten::flatten.using_ints", self, start, end)
  }

  /// A view with other strides, in elements, from this tensor's first element on; `torch.as_strided`.
  ///
  /// - Throws: `TorchError` where it would reach beyond the memory there is.
  public func strided(_ shape: [Int], strides: [Int]) throws -> Tensor {
    try call("aten::as_strided", self, shape, strides)
  }

  /// A view whose dimension i is dimension `order`[i] of this tensor; `torch.permute`.
  public func permute(_ order: [Int]) throws -> Tensor { try call("aten::permute", self, order) }

  /// A view with two dimensions exchanged, by default the last two; `torch.transpose`.
  public func transpose(_ a: Int = -2, _ b: Int = -1) throws -> Tensor { try call("aten::transpose.int", self, a, b) }

  /// A view with a new dimension of size 1 before `dimension`; −1 puts it last. `torch.unsqueeze`.
  public func unsqueeze(_ dimension: Int) throws -> Tensor { try call("aten::unsqueeze", self, dimension) }

  /// A view without `dimension` if its size is 1, otherwise of the same shape; `torch.squeeze`.
  public func squeeze(_ dimension: Int) throws -> Tensor { try call("aten::squeeze.dim", self, dimension) }

  /// A view in which dimensions of size 1 are repeated to the sizes of `shape` without taking memory; −1 keeps a size.
  /// `torch.Tensor.expand`.
  public func expand(_ shape: [Int]) throws -> Tensor { try call("aten::expand", self, shape) }

  /// A view of `count` indices of a dimension from `start` on; `torch.narrow`.
  public func narrow(_ dimension: Int, from start: Int, count: Int) throws -> Tensor {
    try call("aten::narrow", self, dimension, start, count)
  }

  /// A view of one index of a dimension, which goes away; `torch.select`.
  public func select(_ dimension: Int, _ index: Int) throws -> Tensor {
    try call("aten::select.int", self, dimension, index)
  }

  /// A view of every `step`th index of a dimension in `range`, which is cut off at the dimension's end;
  /// `x[a:b:step]` in PyTorch.
  public func slice(_ dimension: Int, _ range: Range<Int>, step: Int = 1) throws -> Tensor {
    try call("aten::slice.Tensor", self, dimension, range.lowerBound, range.upperBound, step)
  }

  /// A view of one index of the first dimension, which goes away.
  public subscript(index: Int) -> Tensor { get throws { try select(0, index) } }

  /// A view of a range of the first dimension, which is cut off at its end.
  public subscript(range: Range<Int>) -> Tensor { get throws { try slice(0, range) } }

  /// Views of pieces of `size` along a dimension, the last of which may be smaller; `torch.split`.
  public func split(_ size: Int, dimension: Int = 0) throws -> [Tensor] {
    try callTensors("aten::split.Tensor", self, size, dimension)
  }

  /// Views of pieces of these sizes along a dimension; `torch.split`.
  ///
  /// - Throws: `TorchError` when the sizes do not add up to the dimension's.
  public func split(sizes: [Int], dimension: Int = 0) throws -> [Tensor] {
    try callTensors("aten::split_with_sizes", self, sizes, dimension)
  }

  /// Views of at most `count` pieces of equal size along a dimension, the last of which may be smaller; `torch.chunk`.
  public func chunk(_ count: Int, dimension: Int = 0) throws -> [Tensor] {
    try callTensors("aten::chunk", self, count, dimension)
  }

  /// A view of every index of a dimension, which goes away; `torch.unbind`.
  public func unbind(_ dimension: Int = 0) throws -> [Tensor] { try callTensors("aten::unbind.int", self, dimension) }

  /// Tensors one after the other along a dimension, in which alone their sizes may differ; `torch.cat`. Types are
  /// promoted.
  ///
  /// - Throws: `TorchError` for an empty list.
  public static func concatenate(_ tensors: [Tensor], dimension: Int = 0) throws -> Tensor {
    try call("aten::cat", tensors, dimension)
  }

  /// Tensors of one shape side by side along a new dimension; `torch.stack`.
  ///
  /// - Throws: `TorchError` for an empty list.
  public static func stack(_ tensors: [Tensor], dimension: Int = 0) throws -> Tensor {
    try call("aten::stack", tensors, dimension)
  }

  /// A copy of the given indices of one dimension, [k] integers, in that order; `torch.index_select`.
  public func indexSelect(_ dimension: Int, _ indices: Tensor) throws -> Tensor {
    try call("aten::index_select", self, dimension, indices)
  }

  /// A copy of the elements at `indices`, one tensor of integers for each dimension (nil: all of it), which are
  /// broadcast against each other; `x[i, :, j]` in PyTorch. A boolean tensor chooses where it is true.
  public func index(_ indices: [Tensor?]) throws -> Tensor { try call("aten::index.Tensor", self, indices) }

  /// Along `dimension`, the element that `indices` names, which is int64 and of the result's shape; `torch.gather`.
  public func gather(_ dimension: Int, _ indices: Tensor) throws -> Tensor {
    try call("aten::gather", self, dimension, indices)
  }

  /// A copy in which the elements that `indices` (int64) names along `dimension` are those of `source`;
  /// `torch.scatter`.
  public func scatter(_ dimension: Int, _ indices: Tensor, _ source: Tensor) throws -> Tensor {
    try call("aten::scatter.src", self, dimension, indices, source)
  }

  /// A copy with `value` where the boolean `mask`, which is broadcast, is true; `torch.Tensor.masked_fill`.
  public func maskedFill(_ mask: Tensor, _ value: Double) throws -> Tensor {
    try call("aten::masked_fill.Scalar", self, mask, value)
  }

  /// The elements where the boolean `mask` is true, one dimension, in row-major order; `torch.masked_select`.
  public func maskedSelect(_ mask: Tensor) throws -> Tensor { try call("aten::masked_select", self, mask) }

  /// A copy with the order along each of `dimensions` reversed; `torch.flip`.
  public func flip(_ dimensions: [Int]) throws -> Tensor { try call("aten::flip", self, dimensions) }

  /// A copy whose elements have moved by `shifts` along `dimensions`, those pushed out coming back at the other end;
  /// `torch.roll`.
  public func roll(_ shifts: [Int], _ dimensions: [Int]) throws -> Tensor {
    try call("aten::roll", self, shifts, dimensions)
  }

  /// A copy with elements of `value` around it; `torch.nn.functional.pad`.
  ///
  /// - Parameters:
  ///   - amounts: how many before and after the last dimension, then the one before it: [left, right, top, bottom, …];
  ///     negative ones cut off
  ///   - value: what the new elements are
  public func pad(_ amounts: [Int], value: Double = 0) throws -> Tensor {
    try call("aten::constant_pad_nd", self, amounts, value)
  }

  /// A copy with 0 above a diagonal of the last two dimensions: the main one, or that many above it. `torch.tril`.
  public func lowerTriangle(_ diagonal: Int = 0) throws -> Tensor { try call("aten::tril", self, diagonal) }

  /// A copy with 0 below a diagonal of the last two dimensions: the main one, or that many above it. `torch.triu`.
  public func upperTriangle(_ diagonal: Int = 0) throws -> Tensor { try call("aten::triu", self, diagonal) }

  /// A view of the main diagonal of the first two dimensions, [..., min(m, n)] of [m, n, ...]; `torch.diagonal`.
  public func diagonal() throws -> Tensor { try call("aten::diagonal", self) }

  /// 1 at the class that each int64 element names, 0 at the others: [...] to [..., classes], int64;
  /// `torch.nn.functional.one_hot`.
  ///
  /// - Throws: `TorchError` for an element outside 0 ..< `classes`.
  public func oneHot(_ classes: Int) throws -> Tensor { try call("aten::one_hot", self, classes) }
}
