import Torch

/// What a pickle can describe. Containers are references, because a pickle names them before it fills them.
enum PickleValue {
  case none
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  case container(PickleContainer)
  /// A class or function from the list of harmless ones, by its full name.
  case global(String)
  case storage(TorchStorage)
  case tensor(TorchTensor)
  /// Something of no interest, such as a numpy number or the arguments of a training script.
  case opaque(String)

  var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  var text: String? { if case .text(let value) = self { value } else { nil } }

  /// The elements of a tuple, list or set.
  var elements: [PickleValue]? {
    if case .container(let container) = self, container.kind != .dictionary { container.items } else { nil }
  }

  /// The elements as whole numbers, such as a shape or strides.
  var integers: [Int]? {
    guard let elements else { return nil }
    let numbers = elements.compactMap(\.integer)
    return numbers.count == elements.count ? numbers : nil
  }

  /// What it is, for error messages.
  var kind: String {
    switch self {
    case .none: "None"
    case .bool, .integer, .number: "a number"
    case .text: "a text"
    case .container(let container): container.kind == .dictionary ? "a dictionary" : "a \(container.kind.rawValue)"
    case .global(let name): "the class \(name)"
    case .storage: "a storage"
    case .tensor: "a tensor"
    case .opaque(let name): "an object of \(name)"
    }
  }
}

final class PickleContainer {
  enum Kind: String { case list, tuple, set, dictionary }

  let kind: Kind
  /// The elements. A dictionary has its keys and values in turn.
  var items: [PickleValue]

  init(_ kind: Kind, _ items: [PickleValue] = []) {
    self.kind = kind
    self.items = items
  }

  /// The entries of a dictionary whose key is a text. If a key occurs several times, its last value counts, in the
  /// place of the first.
  var entries: [(key: String, value: PickleValue)] {
    var places: [String: Int] = [:]
    var entries: [(key: String, value: PickleValue)] = []
    for index in stride(from: 0, to: items.count - 1, by: 2) {
      guard let key = items[index].text else { continue }
      if let place = places[key] {
        entries[place].value = items[index + 1]
      } else {
        places[key] = entries.count
        entries.append((key, items[index + 1]))
      }
    }
    return entries
  }
}

/// Bytes that tensors view, with the key that the file gives them.
struct TorchStorage {
  let key: String
  /// nil: the bytes have no type of their own.
  let dtype: DType?
  /// How many elements there are, or bytes if there is no type.
  let count: Int
}

/// A tensor as a pickle describes it, a view of a storage.
final class TorchTensor {
  let storage: TorchStorage
  let dtype: DType
  /// The first element in the storage.
  let offset: Int
  let shape: [Int]
  let strides: [Int]

  init(storage: TorchStorage, dtype: DType, offset: Int, shape: [Int], strides: [Int]) {
    self.storage = storage
    self.dtype = dtype
    self.offset = offset
    self.shape = shape
    self.strides = strides
  }
}
