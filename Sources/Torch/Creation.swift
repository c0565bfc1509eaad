// Every creator throws `TorchError` for a negative size or when memory runs out.
extension Tensor {
  /// A tensor of this shape whose elements are whatever its memory holds, row-major unless a `format` is given;
  /// `torch.empty`.
  public static func empty(
    _ shape: [Int], dtype: DType = .float32, device: Device = .cpu, format: MemoryFormat? = nil
  ) throws -> Tensor {
    try call("aten::empty.memory_format", shape, dtype, Int?.none, device, Bool?.none, format)
  }

  /// A tensor of this shape filled with 0; `torch.zeros`.
  public static func zeros(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) throws -> Tensor {
    try call("aten::zeros", shape, dtype, Int?.none, device)
  }

  /// A tensor of this shape filled with 1; `torch.ones`.
  public static func ones(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) throws -> Tensor {
    try call("aten::ones", shape, dtype, Int?.none, device)
  }

  /// A tensor of this shape filled with `value`; `torch.full`.
  public static func full(_ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu) throws
    -> Tensor
  {
    try call("aten::full", shape, value, dtype, Int?.none, device)
  }

  /// 0, 1, …, `end` − 1, as [end]; `torch.arange`.
  public static func range(_ end: Int, dtype: DType = .int64, device: Device = .cpu) throws -> Tensor {
    try call("aten::arange", end, dtype, Int?.none, device)
  }

  /// `start`, `start` + `step`, … up to but not including `end`, as [⌈(end − start) / step⌉]; `torch.arange`.
  ///
  /// - Throws: `TorchError` when `step` is 0 or leads away from `end`.
  public static func range(from start: Int, to end: Int, by step: Int = 1, dtype: DType = .int64, device: Device = .cpu)
    throws -> Tensor
  {
    try call("aten::arange.start_step", start, end, step, dtype, Int?.none, device)
  }

  /// `count` evenly spaced numbers from `start` to `end`, both included, as [count]; `torch.linspace`.
  public static func linspace(
    _ start: Double, _ end: Double, count: Int, dtype: DType = .float32, device: Device = .cpu
  ) throws -> Tensor {
    try call("aten::linspace", start, end, count, dtype, Int?.none, device)
  }

  /// The identity matrix, [size, size]; `torch.eye`.
  public static func eye(_ size: Int, dtype: DType = .float32, device: Device = .cpu) throws -> Tensor {
    try call("aten::eye", size, dtype, Int?.none, device)
  }

  /// Independent normal numbers of mean 0 and variance 1, drawn from a generator of the same device; `torch.randn`.
  public static func normal(
    _ shape: [Int], generator: Generator, dtype: DType = .float32, device: Device = .cpu
  ) throws -> Tensor {
    try call("aten::randn.generator", shape, generator, dtype, Int?.none, device)
  }

  /// Independent numbers uniform in [0, 1), drawn from a generator of the same device; `torch.rand`.
  public static func uniform(
    _ shape: [Int], generator: Generator, dtype: DType = .float32, device: Device = .cpu
  ) throws -> Tensor {
    try call("aten::rand.generator", shape, generator, dtype, Int?.none, device)
  }

  /// Independent integers uniform in `range`, int64, drawn from a generator of the same device; `torch.randint`.
  ///
  /// - Throws: `TorchError` for an empty range.
  public static func integers(
    in range: Range<Int>, shape: [Int], generator: Generator, device: Device = .cpu
  ) throws -> Tensor {
    try call(
      "aten::randint.low_generator", range.lowerBound, range.upperBound, shape, generator, DType.int64, Int?.none,
      device
    )
  }

  /// The numbers 0 ..< `count` in random order, [count] int64, drawn from a generator of the same device;
  /// `torch.randperm`.
  public static func permutation(_ count: Int, generator: Generator, device: Device = .cpu) throws -> Tensor {
    try call("aten::randperm.generator", count, generator, DType.int64, Int?.none, device)
  }

  /// Zeros of this tensor's shape, type, device and layout; `torch.zeros_like`.
  public func zerosLike() throws -> Tensor { try call("aten::zeros_like", self) }

  /// Ones of this tensor's shape, type, device and layout; `torch.ones_like`.
  public func onesLike() throws -> Tensor { try call("aten::ones_like", self) }

  /// A copy with memory of its own, through which gradients flow; `torch.clone`.
  ///
  /// - Parameter format: nil: laid out as this tensor
  public func clone(format: MemoryFormat? = nil) throws -> Tensor { try call("aten::clone", self, format) }

  /// This tensor converted to another type, or itself if that is its type already; `torch.Tensor.to`.
  public func to(_ dtype: DType) throws -> Tensor {
    dtype == self.dtype ? self : try call("aten::to.dtype", self, dtype)
  }

  /// A copy of this tensor on another device, or itself if it is there already; `torch.Tensor.to`.
  public func to(_ device: Device) throws -> Tensor {
    device == self.device ? self : try call("aten::to.device", self, device, dtype)
  }

  /// This tensor with its elements laid out in `format`, or itself if they are already; `torch.Tensor.contiguous`.
  public func contiguous(_ format: MemoryFormat = .contiguous) throws -> Tensor {
    try call("aten::contiguous", self, format)
  }

  // MARK: Writing

  /// Overwrites the elements with those of `other`, converted and broadcast to this tensor's type and shape;
  /// `torch.Tensor.copy_`.
  ///
  /// - Returns: this tensor.
  @discardableResult public func copy(from other: Tensor) throws -> Tensor { try call("aten::copy_", self, other) }

  /// Overwrites every element with `value`; `torch.Tensor.fill_`.
  ///
  /// - Returns: this tensor.
  @discardableResult public func fill(_ value: Double) throws -> Tensor { try call("aten::fill_.Scalar", self, value) }

  /// Overwrites every element with 0; `torch.Tensor.zero_`.
  ///
  /// - Returns: this tensor.
  @discardableResult public func zero() throws -> Tensor { try call("aten::zero_", self) }

  /// Overwrites the elements with independent numbers uniform in [`low`, `high`), drawn from a generator of the same
  /// device; `torch.Tensor.uniform_`.
  ///
  /// - Returns: this tensor.
  @discardableResult public func fillUniform(_ low: Double, _ high: Double, generator: Generator) throws -> Tensor {
    try call("aten::uniform_", self, low, high, generator)
  }

  /// Overwrites the elements with independent normal numbers, drawn from a generator of the same device;
  /// `torch.Tensor.normal_`.
  ///
  /// - Returns: this tensor.
  @discardableResult
  public func fillNormal(mean: Double = 0, standardDeviation: Double = 1, generator: Generator) throws -> Tensor {
    try call("aten::normal_", self, mean, standardDeviation, generator)
  }
}
