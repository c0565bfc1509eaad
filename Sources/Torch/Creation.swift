extension Tensor {
  /// Memory of this shape, not initialised.
  public static func empty(
    _ shape: [Int], dtype: DType = .float32, device: Device = .cpu, format: MemoryFormat? = nil
  ) throws -> Tensor {
    try call("aten::empty.memory_format", shape, dtype, Int?.none, device, Bool?.none, format)
  }

  public static func zeros(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) throws -> Tensor {
    try call("aten::zeros", shape, dtype, Int?.none, device)
  }

  public static func ones(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) throws -> Tensor {
    try call("aten::ones", shape, dtype, Int?.none, device)
  }

  public static func full(_ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu) throws
    -> Tensor
  {
    try call("aten::full", shape, value, dtype, Int?.none, device)
  }

  /// 0, 1, …, `end` − 1.
  public static func range(_ end: Int, dtype: DType = .int64, device: Device = .cpu) throws -> Tensor {
    try call("aten::arange", end, dtype, Int?.none, device)
  }

  /// `start`, `start` + `step`, … below `end`.
  public static func range(from start: Int, to end: Int, by step: Int = 1, dtype: DType = .int64, device: Device = .cpu)
    throws -> Tensor
  {
    try call("aten::arange.start_step", start, end, step, dtype, Int?.none, device)
  }

  /// `count` numbers from `start` to `end`, both included.
  public static func linspace(
    _ start: Double, _ end: Double, count: Int, dtype: DType = .float32, device: Device = .cpu
  ) throws -> Tensor {
    try call("aten::linspace", start, end, count, dtype, Int?.none, device)
  }

  public static func eye(_ size: Int, dtype: DType = .float32, device: Device = .cpu) throws -> Tensor {
    try call("aten::eye", size, dtype, Int?.none, device)
  }

  /// Standard normal numbers.
  public static func normal(
    _ shape: [Int], generator: Generator, dtype: DType = .float32, device: Device = .cpu
  ) throws -> Tensor {
    try call("aten::randn.generator", shape, generator, dtype, Int?.none, device)
  }

  /// Numbers uniform in [0, 1).
  public static func uniform(
    _ shape: [Int], generator: Generator, dtype: DType = .float32, device: Device = .cpu
  ) throws -> Tensor {
    try call("aten::rand.generator", shape, generator, dtype, Int?.none, device)
  }

  /// Integers uniform in `range`.
  public static func integers(
    in range: Range<Int>, shape: [Int], generator: Generator, device: Device = .cpu
  ) throws -> Tensor {
    try call(
      "aten::randint.low_generator", range.lowerBound, range.upperBound, shape, generator, DType.int64, Int?.none,
      device
    )
  }

  /// A random order of 0 ..< `count`.
  public static func permutation(_ count: Int, generator: Generator, device: Device = .cpu) throws -> Tensor {
    try call("aten::randperm.generator", count, generator, DType.int64, Int?.none, device)
  }

  public func zerosLike() throws -> Tensor { try call("aten::zeros_like", self) }
  public func onesLike() throws -> Tensor { try call("aten::ones_like", self) }

  /// A copy with memory of its own.
  public func clone(format: MemoryFormat? = nil) throws -> Tensor { try call("aten::clone", self, format) }

  /// This tensor in another type; itself when it has it already.
  public func to(_ dtype: DType) throws -> Tensor {
    dtype == self.dtype ? self : try call("aten::to.dtype", self, dtype)
  }

  /// This tensor on another device; itself when it is there already.
  public func to(_ device: Device) throws -> Tensor {
    device == self.device ? self : try call("aten::to.device", self, device, dtype)
  }

  /// This tensor with its elements laid out in `format`; itself when they are already.
  public func contiguous(_ format: MemoryFormat = .contiguous) throws -> Tensor {
    try call("aten::contiguous", self, format)
  }

  // MARK: Writing

  /// Overwrites the elements with `other`'s, converted and broadcast.
  @discardableResult public func copy(from other: Tensor) throws -> Tensor { try call("aten::copy_", self, other) }
  @discardableResult public func fill(_ value: Double) throws -> Tensor { try call("aten::fill_.Scalar", self, value) }
  @discardableResult public func zero() throws -> Tensor { try call("aten::zero_", self) }

  /// Overwrites the elements with numbers uniform in [`low`, `high`).
  @discardableResult public func fillUniform(_ low: Double, _ high: Double, generator: Generator) throws -> Tensor {
    try call("aten::uniform_", self, low, high, generator)
  }

  /// Overwrites the elements with normal numbers.
  @discardableResult
  public func fillNormal(mean: Double = 0, standardDeviation: Double = 1, generator: Generator) throws -> Tensor {
    try call("aten::normal_", self, mean, standardDeviation, generator)
  }
}
