import Torch
import Weights

/// What becomes of the classifier in pretrained weights.
public enum PretrainedHead: Sendable {
  /// It must fit the network.
  case kept
  /// The network's own, freshly drawn one takes its place where it is for another number of classes, or missing.
  case replacedIfNeeded
  /// The network's own takes its place.
  case replaced
}

extension Module {
  /// How the names of the classifier's tensors start: `fc.`, `classifier.6.`; where the network does not say, the last
  /// matrix's.
  public var headPrefix: String {
    if let network = self as? any PretrainedNetwork { return network.headPrefix }
    let matrices = parameters().filter { $0.parameter.value.rank == 2 && $0.name.hasSuffix(".weight") }
    return (matrices.last?.name).map { String($0.dropLast("weight".count)) } ?? "head."
  }

  /// Puts the network at weights of a reference's file, as far as they are for this network.
  ///
  /// What training scripts put before all names (`module.`, `model.`, `_orig_mod.`) is taken off, other libraries'
  /// names are mapped to this network's, position embeddings are interpolated to its pictures, half precision becomes
  /// its own type. A classifier for another number of classes, or none, leaves the network's own, freshly drawn one in
  /// place.
  ///
  /// - Parameter head: what becomes of a classifier for another number of classes.
  /// - Returns: what was done, one sentence each.
  /// - Throws: `FileError` that lists every tensor that is missing, not expected or of another shape; the network
  ///   is then unchanged.
  @discardableResult
  public func loadPretrained(_ weights: Weights, head: PretrainedHead = .replacedIfNeeded) throws -> [String] {
    let own = self.weights
    var (weights, messages) = strippingPrefixes(weights, own: own)
    if let network = self as? any PretrainedNetwork {
      let adapted = try network.adapted(weights)
      weights = adapted.weights
      messages += adapted.messages
    }
    weights = try converted(weights, to: own, &messages)
    weights = fillingCounters(weights, from: own, &messages)
    if head != .kept { weights = replacingHead(weights, own: own, always: head == .replaced, &messages) }
    try load(weights.mapTensors { name, tensor in try own[name].map { try tensor.to($0.device) } ?? tensor })
    return messages
  }

  private func strippingPrefixes(_ weights: Weights, own: Weights) -> (Weights, [String]) {
    var weights = weights
    var messages: [String] = []
    let prefixes = ["module.", "_orig_mod.", "model.", "network.", "net.", "ema_model."]
    while let prefix = prefixes.first(where: { prefix in
      weights.names.allSatisfy { $0.hasPrefix(prefix) } && !own.names.contains { $0.hasPrefix(prefix) }
    }), !weights.isEmpty {
      weights = Weights(weights.map { (String($0.0.dropFirst(prefix.count)), $0.1) })
      messages.append("'\(prefix)' taken off every name")
    }
    return (weights, messages)
  }

  private func converted(_ weights: Weights, to own: Weights, _ messages: inout [String]) throws -> Weights {
    var types: [String] = []
    let converted = try withoutGradients {
      try weights.mapTensors { name, tensor in
        guard let dtype = own[name]?.dtype, dtype != tensor.dtype, dtype.isFloatingPoint == tensor.dtype.isFloatingPoint
        else { return tensor }
        let change = "\(tensor.dtype) converted to \(dtype)"
        if !types.contains(change) { types.append(change) }
        return try tensor.to(dtype)
      }
    }
    messages += types
    return converted
  }

  /// Files of before PyTorch 0.4.1 have no counters of batches.
  private func fillingCounters(_ weights: Weights, from own: Weights, _ messages: inout [String]) -> Weights {
    let counters = own.filter { name, _ in name.hasSuffix("num_batches_tracked") }
    guard !counters.isEmpty, counters.names.allSatisfy({ weights[$0] == nil }) else { return weights }
    messages.append("BatchNorm's counters of batches are missing; they start at 0")
    return Weights(Array(weights) + counters)
  }

  private func replacingHead(
    _ weights: Weights, own: Weights, always: Bool, _ messages: inout [String]
  ) -> Weights {
    let prefix = headPrefix
    let head = own.filter { name, _ in name.hasPrefix(prefix) }
    let theirs = weights.filter { name, _ in name.hasPrefix(prefix) }
    let classes = { (weights: Weights) in weights[prefix + "weight"].flatMap { $0.shape.first } }
    guard let count = classes(head), always || theirs.isEmpty || classes(theirs) != count else { return weights }
    let (name, others) = (prefix.dropLast(), classes(theirs).map { "\($0)" } ?? "other")
    messages.append(
      theirs.isEmpty
        ? "the classifier \(name) is missing; it is a fresh one for \(count) classes"
        : "the classifier \(name) for \(others) classes is replaced by a fresh one for \(count)")
    let rest = weights.filter { name, _ in !name.hasPrefix(prefix) }
    return Weights(Array(rest) + head)
  }
}
