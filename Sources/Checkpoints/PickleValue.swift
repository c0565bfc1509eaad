import Torch

/// What a pickle may describe. Containers are references, since a pickle fills them after it has named them.
enum PickleValue {
  case none
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  case container(PickleContainer)
  /// A class or function on the list of those that are harmless, by its full name.
  case global(String)
  case storage(TorchStorage)
  case tensor(TorchTensor)
  /// Something of no interest: a numpy number, the arguments of a training script.
  case opaque(String)

  var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  var text: String? { if case .text(let value) = self { value } else { nil } }

  /// The elements of a tuple, list or set.
  var elements: [PickleValue]? {
    if case .container(let container) = self, container.kind != .dictionary { container.items } else { nil }
  }

  /// Whole numbers, of a shape or strides.
  var integers: [Int]? {
    guard let elements else { return nil }
    let numbers = elements.compactMap(\.integer)
    return numbers.count == elements.count ? numbers : nil
  }

  /// For error texts.
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
  /// A dictionary has its keys and values in turn.
  var items: [PickleValue]

  init(_ kind: Kind, _ items: [PickleValue] = []) {
    self.kind = kind
    self.items = items
  }

  /// The entries of a dictionary that have a text as key; the last of a key counts, at the place of its first.
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

/// Bytes that tensors look at, by the key under which the file has them.
struct TorchStorage {
  let key: String
  /// nil: bytes without a type of their own.
  let dtype: DType?
  /// Elements, or bytes without a type.
  let count: Int
}

/// A tensor as a pickle describes it: a view of a storage.
final class TorchTensor {
  let storage: TorchStorage
  let dtype: DType
  /// In elements.
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
