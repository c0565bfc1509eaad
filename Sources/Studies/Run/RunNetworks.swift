import Checkpoints
import Networks
import Torch
import Weights

/// The networks of a run: one, or, in a run with tasks, one more for each task, which differ in their heads only.
final class RunNetworks {
  private let prepared: PreparedRun
  let own: any Module
  private let ofTasks: [any Module]
  /// Heads as they were drawn.
  private let freshHeads: [Weights]
  /// The parameters that are each task's own, by the start of their names; nil in a run without tasks.
  let headPrefix: String?

  init(_ prepared: PreparedRun) throws {
    self.prepared = prepared
    own = try prepared.makeNetwork()
    ofTasks = try prepared.tasks.indices.map { try prepared.makeNetwork(task: $0) }
    let prefix = prepared.tasks.isEmpty ? nil : own.headPrefix
    headPrefix = prefix
    freshHeads = try ofTasks.map { network in
      try network.weights.filter { name, _ in name.hasPrefix(prefix ?? "") }.clone()
    }
  }

  func isHead(_ name: String) -> Bool { headPrefix.map { name.hasPrefix($0) } ?? false }

  /// The network with the head of a task (nil: the own dataset).
  func network(task: Int?) -> any Module { task.map { ofTasks[$0] } ?? own }

  /// Where an endpoint of a task starts: the trunk with a head that knows nothing yet.
  func start(_ trunk: Weights, task: Int) -> Weights {
    let head = freshHeads[task]
    return Weights(trunk.map { ($0, head[$0] ?? $1) })
  }

  /// Puts the network of a task at a point; convolutions get their channels innermost again.
  func stand(at weights: Weights, task: Int?) throws -> any Module {
    let network = network(task: task)
    try network.load(weights)
    try network.move(to: prepared.device, format: .channelsLast)
    return network
  }
}

extension Module {
  /// ‖w‖ over the trainable parameters.
  func weightNorm() throws -> Double {
    try Weights(parameters().filter(\.parameter.isTrainable).map { ($0.name, $0.parameter.value) }).norm()
  }
}
