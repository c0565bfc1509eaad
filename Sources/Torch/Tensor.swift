import CTorch

/// An n-dimensional array of numbers on one device, which is a tensor of libtorch.
///
/// ```swift
/// let a = try Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
/// let b = try (2 * a).matmul(a.transpose()).sum()
/// print(try b.item())
/// ```
///
/// A tensor is a reference. Copying the value shares the elements, as in PyTorch, and only methods whose names end in
/// `InPlace` or begin with `fill`, `copy(from:)` and `zero()` change them. Several tasks may read one tensor at once.
/// Writing to it while others read is a race, as with any shared memory.
///
/// Operators are methods, named in words after PyTorch's, whose name each of them states. Types promote and shapes
/// broadcast as in PyTorch. An operator that has no method is reached by its name with ``call(_:_:)``.
///
/// Every operation throws ``TorchError`` when libtorch refuses it; the error names the operator and the shapes.
/// libtorch is loaded when the first tensor is used.
public struct Tensor: @unchecked Sendable {
  let reference: TensorReference

  init(owning handle: UnsafeMutableRawPointer) { reference = TensorReference(owning: handle) }

  /// The size of each dimension; none for a single number.
  public var shape: [Int] { reference.unmade?.shape ?? Array(sizes(libtorch.tensor_sizes(reference.handle))) }

  /// How many elements lie from one index of a dimension to the next, for each dimension.
  public var strides: [Int] { Array(sizes(libtorch.tensor_strides(reference.handle))) }

  private func sizes(_ pointer: UnsafePointer<Int64>?) -> some Sequence<Int> {
    UnsafeBufferPointer(start: pointer, count: rank).lazy.map(Int.init)
  }

  /// The number of dimensions.
  public var rank: Int { reference.unmade?.shape.count ?? libtorch.tensor_dimensions(reference.handle) }

  /// The number of elements.
  public var count: Int { reference.unmade?.shape.reduce(1, *) ?? Int(libtorch.tensor_count(reference.handle)) }

  /// The type of the elements.
  public var dtype: DType {
    reference.unmade?.dtype ?? DType(rawValue: libtorch.tensor_dtype(reference.handle)) ?? .uint8
  }

  /// Where the elements are.
  public var device: Device {
    reference.unmade == nil ? Device(code: libtorch.tensor_device(reference.handle)) : .cpu
  }

  /// Whether the elements lie in memory in the order of `format`, without gaps.
  public func isContiguous(_ format: MemoryFormat = .contiguous) -> Bool {
    if format == .contiguous, reference.unmade != nil { return true }
    return libtorch.tensor_is_contiguous(reference.handle, Int32(format.rawValue))
  }

  /// The size of one dimension, counted from the end where it is negative.
  ///
  /// - Throws: `TorchError` when there is no such dimension.
  public func size(_ dimension: Int) throws -> Int {
    let index = dimension < 0 ? dimension + rank : dimension
    guard (0..<rank).contains(index) else {
      throw TorchError(operation: "size", message: "no dimension \(dimension)", arguments: [shapeDescription])
    }
    return reference.unmade?.shape[index] ?? Int(libtorch.tensor_sizes(reference.handle)[index])
  }

  /// "[2, 3] float32", with the device unless it is the CPU.
  public var shapeDescription: String { "\(shape) \(dtype)" + (device.isCPU ? "" : " \(device)") }

  // MARK: Elements

  /// A tensor over a copy of `elements` in row-major order, on the CPU, of their type.
  ///
  /// - Parameters:
  ///   - elements: as many as `shape` has places
  ///   - shape: nil: one dimension
  /// - Throws: `TorchError` when the elements do not fill the shape.
  public init<Scalar: TensorScalar>(_ elements: [Scalar], shape: [Int]? = nil) throws {
    let shape = shape ?? [elements.count]
    let expected = try Tensor.elementCount(shape)
    guard expected == elements.count else {
      throw TorchError(operation: "Tensor", message: "\(elements.count) elements do not fill the shape \(shape)")
    }
    self = try elements.withUnsafeBytes { try Tensor(copying: $0, dtype: Scalar.dtype, shape: shape) }
  }

  /// A tensor without dimensions that holds one number, on the CPU, of its type.
  public init<Scalar: TensorScalar>(scalar: Scalar) throws { try self.init([scalar], shape: []) }

  /// A tensor over a copy of raw little-endian elements in row-major order, on the CPU.
  ///
  /// - Throws: `TorchError` when there are more or fewer bytes than the shape and the type take.
  public init(copying bytes: UnsafeRawBufferPointer, dtype: DType, shape: [Int]) throws {
    let expected = try Tensor.elementCount(shape) * dtype.byteCount
    guard expected == bytes.count else {
      throw TorchError(operation: "Tensor", message: "\(bytes.count) bytes where \(shape) \(dtype) takes \(expected)")
    }
    var result: VTTensor?
    try shape.map(Int64.init).withUnsafeBufferPointer { sizes in
      try check(
        libtorch.tensor_from_memory(
          bytes.baseAddress, dtype.rawValue, sizes.baseAddress, sizes.count, nil, nil, &result),
        "Tensor")
    }
    guard let result else { throw TorchError(operation: "Tensor", message: "no tensor was made") }
    self.init(owning: result)
  }

  /// A tensor over memory that is never copied, such as a mapped file, in row-major order.
  ///
  /// libtorch is not loaded for it until an operator uses the tensor.
  ///
  /// - Parameters:
  ///   - bytes: little-endian elements, which must not be written to while the tensor lives
  ///   - dtype: their type
  ///   - shape: the size of each dimension
  ///   - owner: keeps the memory alive as long as it lives itself
  /// - Throws: `TorchError` when there are more or fewer bytes than the shape and the type take.
  public init(borrowing bytes: UnsafeRawBufferPointer, dtype: DType, shape: [Int], owner: AnyObject) throws {
    let expected = try Tensor.elementCount(shape) * dtype.byteCount
    guard expected == bytes.count else {
      throw TorchError(operation: "Tensor", message: "\(bytes.count) bytes where \(shape) \(dtype) takes \(expected)")
    }
    reference = TensorReference(borrowing: BorrowedElements(bytes: bytes, dtype: dtype, shape: shape, owner: owner))
  }

  private static func elementCount(_ shape: [Int]) throws -> Int {
    // Strides are products of sizes, and one of those may be 0.
    var stride = 1
    for size in shape {
      let (product, overflow) = stride.multipliedReportingOverflow(by: Swift.max(1, size))
      guard size >= 0, !overflow, product <= Int.max / 8 else {
        throw TorchError(operation: "Tensor", message: "\(shape) is not a shape")
      }
      stride = product
    }
    return shape.contains(0) ? 0 : stride
  }

  /// A copy of the elements in row-major order, converted to `Scalar` and brought to main memory.
  public func array<Scalar: TensorScalar>(_ type: Scalar.Type = Scalar.self) throws -> [Scalar] {
    let plain = try to(Scalar.dtype).to(.cpu).contiguous()
    return try plain.withUnsafeBytes { Array($0.bindMemory(to: Scalar.self)) }
  }

  /// Calls `body` with the bytes of a contiguous tensor in main memory, which are valid only until it returns.
  ///
  /// - Throws: `TorchError` when the tensor is not contiguous or on a GPU, and whatever `body` throws.
  public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
    if let elements = reference.unmade {
      return try withExtendedLifetime(elements) { try body(elements.bytes) }
    }
    guard isContiguous() else {
      throw TorchError(operation: "withUnsafeBytes", message: "is not contiguous", arguments: [shapeDescription])
    }
    var data: UnsafeMutableRawPointer?
    try check(libtorch.tensor_data(reference.handle, &data), "withUnsafeBytes", [self])
    return try withExtendedLifetime(reference) {
      try body(UnsafeRawBufferPointer(start: data, count: count * dtype.byteCount))
    }
  }

  /// The element of a tensor that has only one; `torch.Tensor.item`. On a GPU this waits for the result.
  ///
  /// - Throws: `TorchError` for any other number of elements.
  public func item() throws -> Double {
    var real = 0.0
    var integer: Int64 = 0
    try check(libtorch.tensor_item(reference.handle, &real, &integer), "item", [self])
    return real
  }

  /// The element of an integer or boolean tensor that has only one; true is 1.
  ///
  /// - Throws: `TorchError` for a floating-point tensor, and for any other number of elements.
  public func intItem() throws -> Int {
    guard !dtype.isFloatingPoint else {
      throw TorchError(operation: "intItem", message: "is not an integer tensor", arguments: [shapeDescription])
    }
    var real = 0.0
    var integer: Int64 = 0
    try check(libtorch.tensor_item(reference.handle, &real, &integer), "intItem", [self])
    return Int(integer)
  }
}

extension Tensor: CustomStringConvertible {
  /// The shape and the type, with the elements if there are at most 64.
  public var description: String {
    guard count <= 64, let values = try? array(Double.self) else { return "Tensor(\(shapeDescription))" }
    return "Tensor(\(shapeDescription): \(values))"
  }
}
