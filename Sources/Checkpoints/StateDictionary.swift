import Torch

/// Finds the network's tensors in what a training script has saved: a dictionary of tensors, or one that has such a
/// dictionary among other things.
enum StateDictionary {
  struct Failure: Error { var message: String }

  struct Found {
    var tensors: [(name: String, tensor: TorchTensor)]
    var notes: [String]
  }

  /// The keys under which training scripts keep the network, the most usual first.
  static let usualKeys = ["state_dict", "model_state_dict", "model", "module", "network", "net", "weights"]
  /// Parts of the keys under which they keep tensors that do not belong to a network.
  private static let otherKeys = ["optim", "sched", "scaler", "rng", "loss", "args", "config", "hyper"]

  private struct Candidate {
    let path: [String]
    let tensors: [(name: String, tensor: TorchTensor)]
    let others: Int

    var name: String { path.joined(separator: ".") }
  }

  static func find(in value: PickleValue, part: String?) throws(Failure) -> Found {
    guard case .container(let root) = value, root.kind == .dictionary else {
      throw Failure(message: "holds \(value.kind), not a dictionary of tensors; save a network's state_dict()")
    }
    var candidates: [Candidate] = []
    var seen: Set<ObjectIdentifier> = []
    collect(root, path: [], depth: 0, seen: &seen, into: &candidates)
    guard !candidates.isEmpty else {
      throw Failure(
        message: "holds no tensors under names; expected a network's state_dict(), or a dictionary that has one")
    }
    if let part {
      guard let found = candidates.first(where: { $0.name == part }) else {
        throw Failure(message: "has no dictionary of tensors at '\(part)'; it has \(list(candidates))")
      }
      return describe(found, isChosen: false)
    }
    let chosen = try choose(candidates)
    return describe(chosen, isChosen: !chosen.path.isEmpty)
  }

  /// The only dictionary of tensors there is; otherwise the only one directly under a usual key; otherwise the only one
  /// anywhere under a usual key.
  private static func choose(_ candidates: [Candidate]) throws(Failure) -> Candidate {
    if candidates.count == 1 { return candidates[0] }
    let usual = candidates.filter { $0.path.count == 1 && usualKeys.contains($0.path[0]) }
    if usual.count == 1 { return usual[0] }
    let nested = candidates.filter { $0.path.last.map(usualKeys.contains) ?? false }
    if usual.isEmpty, nested.count == 1 { return nested[0] }
    throw Failure(
      message:
        "holds several dictionaries of tensors: \(list(candidates)); name one by adding # and its path to the file's "
        + "name, such as FILE#\(candidates.last?.name ?? "")")
  }

  private static func list(_ candidates: [Candidate]) -> String {
    let shown = candidates.prefix(8).map {
      "\($0.path.isEmpty ? "the top" : "'\($0.name)'") (\($0.tensors.count) tensors)"
    }
    return shown.joined(separator: ", ") + (candidates.count > 8 ? " and \(candidates.count - 8) more" : "")
  }

  private static func describe(_ candidate: Candidate, isChosen: Bool) -> Found {
    var notes: [String] = []
    if isChosen { notes.append("the weights are those under '\(candidate.name)'") }
    if candidate.others > 0 {
      notes.append("\(candidate.others) entries beside them that are not tensors were left out")
    }
    return Found(tensors: candidate.tensors, notes: notes)
  }

  private static func collect(
    _ container: PickleContainer, path: [String], depth: Int, seen: inout Set<ObjectIdentifier>,
    into candidates: inout [Candidate]
  ) {
    // Training scripts nest a few levels. A hostile file may nest endlessly or in a circle, or hold one dictionary many
    // times.
    guard depth < 8, candidates.count < 1000, seen.insert(ObjectIdentifier(container)).inserted else { return }
    var tensors: [(String, TorchTensor)] = []
    var others = 0
    var inner: [(String, PickleContainer)] = []
    for (key, value) in container.entries {
      switch value {
      case .tensor(let tensor): tensors.append((key, tensor))
      case .container(let container) where container.kind == .dictionary:
        inner.append((key, container))
        others += 1
      default: others += 1
      }
    }
    if !tensors.isEmpty { candidates.append(Candidate(path: path, tensors: tensors, others: others)) }
    for (key, container) in inner where !otherKeys.contains(where: { key.lowercased().contains($0) }) {
      collect(container, path: path + [key], depth: depth + 1, seen: &seen, into: &candidates)
    }
  }
}
