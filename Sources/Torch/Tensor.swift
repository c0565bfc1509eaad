import CTorch

/// An n-dimensional array of libtorch's.
///
/// A tensor is a reference: copying the value shares the elements, as in PyTorch, and only the operations whose names end in
/// `InPlace`, `copy(from:)`, `fill` and `zero` change them. Reading one tensor from several tasks at once is safe; writing
/// to it while others read is a race, as with any shared memory.
///
/// Every operation throws `TorchError`, which names the operator and the shapes, when libtorch refuses it.
public struct Tensor: @unchecked Sendable {
  let reference: TensorReference

  init(owning handle: UnsafeMutableRawPointer) { reference = TensorReference(owning: handle) }

  /// Sizes by dimension.
  public var shape: [Int] { reference.unmade?.shape ?? Array(sizes(libtorch.tensor_sizes(reference.handle))) }

  /// Elements from one index to the next, by dimension.
  public var strides: [Int] { Array(sizes(libtorch.tensor_strides(reference.handle))) }

  private func sizes(_ pointer: UnsafePointer<Int64>?) -> some Sequence<Int> {
    UnsafeBufferPointer(start: pointer, count: rank).lazy.map(Int.init)
  }

  /// The number of dimensions.
  public var rank: Int { reference.unmade?.shape.count ?? libtorch.tensor_dimensions(reference.handle) }

  /// The number of elements.
  public var count: Int { reference.unmade?.shape.reduce(1, *) ?? Int(libtorch.tensor_count(reference.handle)) }

  public var dtype: DType {
    reference.unmade?.dtype ?? DType(rawValue: libtorch.tensor_dtype(reference.handle)) ?? .uint8
  }

  public var device: Device {
    reference.unmade == nil ? Device(code: libtorch.tensor_device(reference.handle)) : .cpu
  }

  public func isContiguous(_ format: MemoryFormat = .contiguous) -> Bool {
    if format == .contiguous, reference.unmade != nil { return true }
    return libtorch.tensor_is_contiguous(reference.handle, Int32(format.rawValue))
  }

  /// The size of one dimension; negative numbers count from the end.
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

  /// A tensor over a copy of `elements` in row-major order; `shape` defaults to one dimension.
  public init<Scalar: TensorScalar>(_ elements: [Scalar], shape: [Int]? = nil) throws {
    let shape = shape ?? [elements.count]
    let expected = try Tensor.elementCount(shape)
    guard expected == elements.count else {
      throw TorchError(operation: "Tensor", message: "\(elements.count) elements do not fill the shape \(shape)")
    }
    self = try elements.withUnsafeBytes { try Tensor(copying: $0, dtype: Scalar.dtype, shape: shape) }
  }

  /// A tensor of no dimensions.
  public init<Scalar: TensorScalar>(scalar: Scalar) throws { try self.init([scalar], shape: []) }

  /// A tensor over a copy of raw little-endian elements in row-major order.
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

  /// A tensor over memory that `owner` keeps alive and that is never copied: a memory-mapped file.
  /// The memory must not be written to.
  public init(borrowing bytes: UnsafeRawBufferPointer, dtype: DType, shape: [Int], owner: AnyObject) throws {
    let expected = try Tensor.elementCount(shape) * dtype.byteCount
    guard expected == bytes.count else {
      throw TorchError(operation: "Tensor", message: "\(bytes.count) bytes where \(shape) \(dtype) takes \(expected)")
    }
    reference = TensorReference(borrowing: BorrowedElements(bytes: bytes, dtype: dtype, shape: shape, owner: owner))
  }

  private static func elementCount(_ shape: [Int]) throws -> Int {
    // Strides are products of the sizes, of which one may be 0.
    var stride = 1
    for size in shape {
      let (product, overflow) = stride.multipliedReportingOverflow(by: Swift.max(1, size))
      guard size >= 0, !overflow, product <= Int.max / 8 else {
        throw TorchError(operation: "Tensor", message: "\(shape) is no shape")
      }
      stride = product
    }
    return shape.contains(0) ? 0 : stride
  }

  /// The elements in row-major order, converted to `Scalar`'s type and brought to main memory.
  public func array<Scalar: TensorScalar>(_ type: Scalar.Type = Scalar.self) throws -> [Scalar] {
    let plain = try to(Scalar.dtype).to(.cpu).contiguous()
    return try plain.withUnsafeBytes { Array($0.bindMemory(to: Scalar.self)) }
  }

  /// The bytes of a contiguous tensor in main memory; valid only during `body`.
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

  /// The only element of a tensor of one element.
  public func item() throws -> Double {
    var real = 0.0
    var integer: Int64 = 0
    try check(libtorch.tensor_item(reference.handle, &real, &integer), "item", [self])
    return real
  }

  /// The only element of an integer or boolean tensor of one element.
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
  /// The shape, and the elements when there are few.
  public var description: String {
    guard count <= 64, let values = try? array(Double.self) else { return "Tensor(\(shapeDescription))" }
    return "Tensor(\(shapeDescription): \(values))"
  }
}
