import Torch

/// The classes and functions that a PyTorch file may name, and what the few that make tensors do. Everything else is
/// refused.
enum TorchGlobals {
  struct Refusal: Error { var message: String }

  static func isHarmless(_ name: String) -> Bool {
    builders.contains(name) || storageType(name) != nil || dtype(name) != nil || inert.contains(name)
      || name.hasPrefix("torch.") && names(ofLayoutIn: name)
  }

  private static let builders: Set<String> = [
    "collections.OrderedDict", "collections.defaultdict", "collections.Counter", "torch.Size",
    "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3",
    "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
    "torch._tensor._rebuild_from_type_v2",
  ]

  /// What training scripts save beside weights. Objects of these classes are left out.
  private static let inert: Set<String> = {
    let plain = [
      "set", "frozenset", "list", "dict", "tuple", "int", "float", "str", "bool", "bytes", "bytearray", "complex",
      "object", "slice", "range", "long", "unicode",
    ]
    let modules = ["builtins", "__builtin__"]
    return Set(modules.flatMap { module in plain.map { "\(module).\($0)" } }).union([
      "torch.device", "torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer",
      "torch.serialization._get_layout", "argparse.Namespace", "types.SimpleNamespace", "_codecs.encode",
      "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.core.multiarray._reconstruct",
      "numpy._core.multiarray._reconstruct", "numpy.dtype", "numpy.ndarray", "pathlib.PosixPath",
      "pathlib.PurePosixPath", "pathlib.Path", "pathlib.WindowsPath", "pathlib._local.PosixPath", "datetime.datetime",
      "datetime.date", "datetime.timedelta", "uuid.UUID",
    ])
  }()

  private static func names(ofLayoutIn name: String) -> Bool {
    ["strided", "sparse_coo", "preserve_format", "contiguous_format", "channels_last", "channels_last_3d"]
      .contains(String(name.dropFirst("torch.".count)))
  }

  /// The result of a call.
  static func apply(_ name: String, _ arguments: [PickleValue]) throws(Refusal) -> PickleValue {
    switch name {
    case "collections.OrderedDict", "collections.defaultdict", "collections.Counter":
      return .container(PickleContainer(.dictionary, try pairs(arguments.last, of: name)))
    case "torch.Size":
      guard let sizes = arguments.first, sizes.integers != nil else {
        throw Refusal(message: "torch.Size is not given whole numbers")
      }
      return sizes
    case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2":
      return .tensor(try tensor(arguments, dtype: nil))
    case "torch._utils._rebuild_tensor_v3":
      guard arguments.count >= 7, case .global(let type) = arguments[6], let dtype = dtype(type) else {
        throw Refusal(message: "a tensor has \(arguments.count > 6 ? arguments[6].kind : "nothing") for a type")
      }
      return .tensor(try tensor(arguments, dtype: dtype.known))
    case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
      guard case .tensor = arguments.first else { throw Refusal(message: "a parameter is not a tensor") }
      return arguments[0]
    case "torch._tensor._rebuild_from_type_v2":
      guard arguments.count >= 3, case .global(let inner) = arguments[0], inner != name,
        let values = arguments[2].elements
      else { throw Refusal(message: "a tensor of a class of its own is described in an unknown way") }
      return try apply(inner, values)
    default: return .opaque(name)
    }
  }

  /// The entries of a dictionary given as a list of pairs, as in Python 2.
  private static func pairs(_ value: PickleValue?, of name: String) throws(Refusal) -> [PickleValue] {
    guard let items = value?.elements else { return [] }
    var entries: [PickleValue] = []
    for item in items {
      guard let pair = item.elements, pair.count == 2 else {
        throw Refusal(message: "\(name) is given \(item.kind) where a pair was expected")
      }
      entries += pair
    }
    return entries
  }

  private static func tensor(_ arguments: [PickleValue], dtype: DType?) throws(Refusal) -> TorchTensor {
    guard arguments.count >= 4, case .storage(let storage) = arguments[0], let offset = arguments[1].integer,
      let shape = arguments[2].integers, let strides = arguments[3].integers, shape.count == strides.count,
      shape.count <= 64, offset >= 0, shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 })
    else { throw Refusal(message: "a tensor's storage, offset, shape or strides are not what they should be") }
    guard let type = dtype ?? storage.dtype else {
      throw Refusal(message: "a tensor over storage \(storage.key) has no type")
    }
    return TorchTensor(storage: storage, dtype: type, offset: offset, shape: shape, strides: strides)
  }

  /// The storage of ("storage", class, key, device, elements), which in old files may be a view of another one.
  static func storage(_ identifier: PickleValue) throws(Refusal) -> TorchStorage {
    guard let parts = identifier.elements, parts.count >= 5, parts[0].text == "storage",
      case .global(let type) = parts[1], let key = parts[2].text ?? parts[2].integer.map(String.init),
      let count = parts[4].integer, count >= 0
    else { throw Refusal(message: "it refers to something outside the pickle that is not a storage") }
    guard let storageType = storageType(type) else { throw Refusal(message: "\(type) is not a class of storages") }
    if parts.count >= 6, case .container = parts[5] {
      throw Refusal(
        message:
          "storage \(key) is a view of another, as PyTorch wrote before 0.4; load it in PyTorch and save it again")
    }
    return TorchStorage(key: key, dtype: try storageType.dtype, count: count)
  }

  // MARK: Types

  /// A type by PyTorch's name. `known` throws for types that our tensors do not have.
  struct TypeName {
    let name: String
    var known: DType {
      get throws(Refusal) {
        guard let dtype = DType(name: name) else {
          throw Refusal(
            message: "it holds \(name) tensors, which Valley does not read; convert them in PyTorch and save again")
        }
        return dtype
      }
    }
  }

  private static let typeNames: Set<String> = [
    "complex32", "complex64", "complex128", "qint8", "quint8", "qint32", "quint4x2", "quint2x4", "float8_e4m3fnuz",
    "float8_e5m2fnuz", "half", "float", "double", "short", "int", "long", "uint8", "int8", "int16", "int32", "int64",
    "uint16", "uint32", "uint64", "float16", "float32", "float64", "bool", "bfloat16", "float8_e4m3fn", "float8_e5m2",
    "float8_e8m0fnu",
  ]
  private static let aliases = [
    "half": "float16", "float": "float32", "double": "float64", "short": "int16", "int": "int32", "long": "int64",
  ]

  /// The type of a name such as torch.float32.
  private static func dtype(_ global: String) -> TypeName? {
    guard global.hasPrefix("torch.") else { return nil }
    let name = String(global.dropFirst("torch.".count))
    return typeNames.contains(name) ? TypeName(name: aliases[name] ?? name) : nil
  }

  private enum StorageType {
    case typed(TypeName)
    case untyped

    var dtype: DType? {
      get throws(Refusal) { if case .typed(let type) = self { try type.known } else { nil } }
    }
  }

  private static let storageNames = [
    "Float": "float32", "Double": "float64", "Half": "float16", "BFloat16": "bfloat16", "Long": "int64", "Int": "int32",
    "Short": "int16", "Char": "int8", "Byte": "uint8", "Bool": "bool", "ComplexFloat": "complex64",
    "ComplexDouble": "complex128", "QInt8": "qint8", "QUInt8": "quint8", "QInt32": "qint32", "QUInt4x2": "quint4x2",
    "QUInt2x4": "quint2x4",
  ]

  /// The type of a name such as torch.FloatStorage.
  private static func storageType(_ global: String) -> StorageType? {
    for prefix in ["torch.cuda.", "torch.storage.", "torch."]
    where global.hasPrefix(prefix) && global.hasSuffix("Storage") {
      let name = String(global.dropFirst(prefix.count).dropLast("Storage".count))
      if name == "Untyped" || name == "_Untyped" { return .untyped }
      if let type = storageNames[name] { return .typed(TypeName(name: type)) }
    }
    return nil
  }
}
