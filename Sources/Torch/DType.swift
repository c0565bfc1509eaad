import CTorch

/// The type of a tensor's elements.
public enum DType: Int32, Sendable, Hashable, CaseIterable, CustomStringConvertible {
  // The raw values are libtorch's ScalarType codes.
  case uint8 = 0
  case int8 = 1
  case int16 = 2
  case int32 = 3
  case int64 = 4
  case float16 = 5
  case float32 = 6
  case float64 = 7
  case bool = 11
  case bfloat16 = 15
  // Types that files have: they can be held, copied and converted, and libtorch computes little in them.
  case float8e5m2 = 23
  case float8e4m3 = 24
  case uint16 = 27
  case uint32 = 28
  case uint64 = 29
  case float8e8m0 = 44

  /// Bytes an element takes.
  public var byteCount: Int {
    switch self {
    case .uint8, .int8, .bool, .float8e4m3, .float8e5m2, .float8e8m0: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64: 8
    }
  }

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

  /// The type with PyTorch's name, or nil.
  public init?(name: String) {
    guard let match = Self.allCases.first(where: { $0.description == name }) else { return nil }
    self = match
  }
}

/// Where a tensor's elements lie in memory: as its sizes say, or with channels innermost (NHWC), which convolutions prefer.
public enum MemoryFormat: Int64, Sendable, Hashable {
  case contiguous = 0
  case preserve = 1
  case channelsLast = 2
}

/// A Swift type that has a tensor counterpart.
public protocol TensorScalar: Sendable {
  static var dtype: DType { get }
}

extension UInt8: TensorScalar { public static var dtype: DType { .uint8 } }
extension Int8: TensorScalar { public static var dtype: DType { .int8 } }
extension Int16: TensorScalar { public static var dtype: DType { .int16 } }
extension Int32: TensorScalar { public static var dtype: DType { .int32 } }
extension Int64: TensorScalar { public static var dtype: DType { .int64 } }
extension Int: TensorScalar { public static var dtype: DType { .int64 } }
extension Float: TensorScalar { public static var dtype: DType { .float32 } }
extension Double: TensorScalar { public static var dtype: DType { .float64 } }
extension Bool: TensorScalar { public static var dtype: DType { .bool } }
