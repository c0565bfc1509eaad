import Checkpoints
import Networks
import Torch
import Weights

extension Checkpoint {
  /// Weights of a network under the names and in the types this file has them, with what else it holds; where the two
  /// do not correspond tensor by tensor, the weights as they are, and a sentence that says so.
  func renamed(_ own: Weights, of network: any Module) throws -> (weights: Weights, notes: [String]) {
    let candidates: [(String) -> String] =
      [{ $0 }]
      + ["module.", "_orig_mod.", "model.", "network.", "net.", "module._orig_mod."].map { prefix in { prefix + $0 } }
      + [{ $0.hasPrefix("transformer.") ? String($0.dropFirst("transformer.".count)) : $0 }]
    for theirs in candidates
    where own.allSatisfy({ weights[theirs($0)]?.shape == $1.shape }) {
      return (try filled(own.mapTensors { $1 }, theirs), [])
    }
    for scheme in (network as? any PretrainedNetwork)?.otherNames ?? [] where scheme.describes(weights) {
      let exported = try scheme.exported(own)
      guard exported.names.allSatisfy({ weights[$0] != nil }) else { continue }
      return (try filled(exported, { $0 }), [])
    }
    return (own, ["written under this network's own names, since the file's do not correspond to them one by one"])
  }

  private func filled(_ own: Weights, _ theirs: (String) -> String) throws -> Weights {
    let byName = Dictionary(zip(own.names.map(theirs), own.tensors), uniquingKeysWith: { first, _ in first })
    return try weights.mapTensors { name, tensor in
      try byName[name]?.to(.cpu).to(tensor.dtype) ?? twin(of: name, byName)?.to(.cpu).to(tensor.dtype) ?? tensor
    }
  }

  /// GPT-2's files may hold the table of embeddings a second time.
  private func twin(of name: String, _ byName: [String: Tensor]) -> Tensor? {
    name.hasSuffix("lm_head.weight")
      ? byName.first { $0.key.hasSuffix("wte.weight") && $0.value.shape == weights[name]?.shape }?.value : nil
  }
}
