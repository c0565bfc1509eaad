import Torch
import Weights

/// How another library calls the tensors of a network and lays them out, so that its files can be read and written.
public struct NamingScheme: Sendable {
  /// How a tensor there becomes ours.
  enum Form: Sendable {
    case same
    /// [a, b] there is [b, a] here.
    case transposed
    /// [channels, 1, 1] there is [channels] here.
    case column
    /// Several tensors there are one here, one below the other.
    case joined
  }

  struct Entry: Sendable {
    let ours: String
    let theirs: [String]
    let form: Form

    init(_ ours: String, _ theirs: [String], _ form: Form = .same) {
      (self.ours, self.theirs, self.form) = (ours, theirs, form)
    }
  }

  /// "torchvision"
  public let library: String
  let entries: [Entry]

  /// - Parameter entry: what becomes of one of our names; nil: it is the same there, or the library has no such tensor.
  init(library: String, _ names: [String], entry: (String) -> Entry?) {
    self.library = library
    entries = names.compactMap(entry)
  }

  /// Whether weights have the library's names: all of one tensor's that are not ours.
  public func describes(_ weights: Weights) -> Bool {
    entries.contains { $0.theirs != [$0.ours] && $0.theirs.allSatisfy { weights[$0] != nil } }
  }

  /// The library's weights under our names. What the scheme does not know, or only a part of which is there, keeps its
  /// name.
  public func imported(_ weights: Weights) throws -> Weights {
    var rest = weights
    let known = try entries.compactMap { entry -> (String, Tensor)? in
      let found = entry.theirs.compactMap { weights[$0] }
      guard found.count == entry.theirs.count else { return nil }
      for name in entry.theirs { rest[name] = nil }
      return (entry.ours, try withoutGradients { try Self.ours(found, entry.form) })
    }
    return Weights(known + rest)
  }

  /// Our weights under the library's names, for its own loader.
  public func exported(_ weights: Weights) throws -> Weights {
    let byName = Dictionary(entries.map { ($0.ours, $0) }, uniquingKeysWith: { first, _ in first })
    return try Weights(
      weights.flatMap { name, tensor -> [(String, Tensor)] in
        guard let entry = byName[name] else { return [(name, tensor)] }
        return try withoutGradients { Array(zip(entry.theirs, try Self.theirs(tensor, entry))) }
      })
  }

  private static func ours(_ tensors: [Tensor], _ form: Form) throws -> Tensor {
    switch form {
    case .same: tensors[0]
    case .transposed: tensors[0].rank == 2 ? try tensors[0].transpose().contiguous() : tensors[0]
    case .column: try tensors[0].flatten()
    case .joined: try .concatenate(tensors)
    }
  }

  private static func theirs(_ tensor: Tensor, _ entry: Entry) throws -> [Tensor] {
    switch entry.form {
    case .same: [tensor]
    case .transposed: [try tensor.transpose().contiguous()]
    case .column: [try tensor.reshape([tensor.count, 1, 1])]
    case .joined: try tensor.chunk(entry.theirs.count).map { try $0.contiguous() }
    }
  }
}
