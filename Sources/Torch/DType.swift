import CTorch

/// The type of a tensor's elements.
public enum DType: Int32, Sendable, Hashable, CaseIterable, CustomStringConvertible {
  // The raw values are libtorch's ScalarType codes.
  /// Unsigned integers of 8 bits: bytes of pictures.
  case uint8 = 0
  /// Signed integers of 8 bits.
  case int8 = 1
  /// Signed integers of 16 bits.
  case int16 = 2
  /// Signed integers of 32 bits.
  case int32 = 3
  /// Signed integers of 64 bits: labels, indices, and sums of integers.
  case int64 = 4
  /// IEEE half precision: 11 significant bits, numbers up to 65,504.
  case float16 = 5
  /// IEEE single precision: 24 significant bits. The default of every creator.
  case float32 = 6
  /// IEEE double precision: 53 significant bits.
  case float64 = 7
  /// True or false, a byte each: what comparisons give.
  case bool = 11
  /// The upper half of a float32: its range, 8 significant bits.
  case bfloat16 = 15
  // Types that occur in files: they can be held, copied and converted, and libtorch computes little in them.
  /// 8 bits, 5 of them exponent. For files: libtorch computes little in it.
  case float8e5m2 = 23
  /// 8 bits, 4 of them exponent, without infinities. For files: libtorch computes little in it.
  case float8e4m3 = 24
  /// Unsigned integers of 16 bits. For files: libtorch computes little in it.
  case uint16 = 27
  /// Unsigned integers of 32 bits. For files: libtorch computes little in it.
  case uint32 = 28
  /// Unsigned integers of 64 bits. For files: libtorch computes little in it.
  case uint64 = 29
  /// Powers of two, 8 bits of exponent: the scales of block formats. For files: libtorch computes little in it.
  case float8e8m0 = 44

  /// Bytes that one element takes.
  public var byteCount: Int {
    switch self {
    case .uint8, .int8, .bool, .float8e4m3, .float8e5m2, .float8e8m0: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64: 8
    }
  }

  /// Whether it is one of the floating-point types, those of 8 bits included.
  public var isFloatingPoint: Bool {
    switch self {
    case .float16, .bfloat16, .float32, .float64, .float8e4m3, .float8e5m2, .float8e8m0: true
    default: false
    }
  }

  /// PyTorch's name: "float32", "bfloat16", …
  public var description: String {
    switch self {
    case .uint8: "uint8"
    case .int8: "int8"
    case .int16: "int16"
    case .int32: "int32"
    case .int64: "int64"
    case .float16: "float16"
    case .float32: "float32"
    case .float64: "float64"
    case .bool: "bool"
    case .bfloat16: "bfloat16"
    case .uint16: "uint16"
    case .uint32: "uint32"
    case .uint64: "uint64"
    case .float8e4m3: "float8_e4m3fn"
    case .float8e5m2: "float8_e5m2"
    case .float8e8m0: "float8_e8m0fnu"
    }
  }

  /// The type that PyTorch calls `name`, as in ``description``; nil if there is none.
  public init?(name: String) {
    guard let match = Self.allCases.first(where: { $0.description == name }) else { return nil }
    self = match
  }
}

/// How a tensor's elements are laid out in memory, whatever order its sizes are named in.
public enum MemoryFormat: Int64, Sendable, Hashable {
  /// Row-major: the last dimension varies fastest.
  case contiguous = 0
  /// A tensor [N, C, H, W] with channels innermost (NHWC), the layout in which convolutions are fastest.
  case channelsLast = 2
}

/// A Swift type whose values can be a tensor's elements.
public protocol TensorScalar: Sendable {
  /// The element type with the same bits.
  static var dtype: DType { get }
}

extension UInt8: TensorScalar {
  /// uint8
  public static var dtype: DType { .uint8 }
}
extension Int8: TensorScalar {
  /// int8
  public static var dtype: DType { .int8 }
}
extension Int16: TensorScalar {
  /// int16
  public static var dtype: DType { .int16 }
}
extension Int32: TensorScalar {
  /// int32
  public static var dtype: DType { .int32 }
}
extension Int64: TensorScalar {
  /// int64
  public static var dtype: DType { .int64 }
}
extension Int: TensorScalar {
  /// int64
  public static var dtype: DType { .int64 }
}
extension Float: TensorScalar {
  /// float32
  public static var dtype: DType { .float32 }
}
extension Double: TensorScalar {
  /// float64
  public static var dtype: DType { .float64 }
}
extension Bool: TensorScalar {
  /// bool
  public static var dtype: DType { .bool }
}
