import Networks

/// Which parameters of a network are trained: those that `only` names, or all if it is empty, except those that
/// `freeze` names.
///
/// A name stands for a parameter or for a part of the network: `layer1` for `layer1.0.conv1.weight` and the like, but
/// not for `layer10.0.conv1.weight`. A frozen parameter has no gradient and no optimizer state. BatchNorm's statistics
/// are not parameters: as in PyTorch, they follow the batches in a frozen part too.
public struct TrainedParameters: Hashable, Sendable {
  /// Parameters or parts to train; empty: all
  public var only: [String]
  /// Parameters or parts to leave as they are, even if `only` names them
  public var freeze: [String]

  /// The parameters that `only` names, or all, except those that `freeze` names.
  public init(only: [String] = [], freeze: [String] = []) {
    self.only = only
    self.freeze = freeze
  }

  /// Every parameter.
  public static let all = TrainedParameters()

  /// Whether a parameter with this name is trained.
  public func contains(_ name: String) -> Bool {
    func isNamed(_ part: String) -> Bool { name == part || name.hasPrefix(part.hasSuffix(".") ? part : part + ".") }
    return (only.isEmpty || only.contains(where: isNamed)) && !freeze.contains(where: isNamed)
  }

  /// The trained parameters of a network, in its order.
  ///
  /// - Throws: `TrainingError` when the network has nothing of a given name, or nothing is left to train.
  public func parameters(of network: any Module) throws -> [(name: String, parameter: Parameter)] {
    let all = network.parameters().filter(\.parameter.isTrainable)
    for (key, names) in [("only", only), ("freeze", freeze)] {
      for name in names where !all.contains(where: { TrainedParameters(only: [name]).contains($0.name) }) {
        let parts = all.map { String($0.name.prefix { $0 != "." }) }.uniqued()
        throw TrainingError(
          "\(key): the network has no parameter \(name) and no part of that name; its parts are "
            + parts.joined(separator: ", "))
      }
    }
    let trained = all.filter { contains($0.name) }
    guard !trained.isEmpty else {
      throw TrainingError("only and freeze leave none of the network's \(all.count) parameters to train")
    }
    return trained
  }
}

/// A training that cannot be set up as asked.
public struct TrainingError: Error, CustomStringConvertible, Sendable {
  /// What was asked for, why it cannot be, and what there is instead.
  public let description: String
  init(_ description: String) { self.description = description }
}

extension [String] {
  /// Each string once, in the order of first appearance.
  fileprivate func uniqued() -> [String] {
    var seen: Set<String> = []
    return filter { seen.insert($0).inserted }
  }
}
