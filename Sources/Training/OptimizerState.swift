import Checkpoints
import Torch
import Weights

/// What an optimizer remembers about each parameter between steps, and its update of both.
struct OptimizerState {
  private let optimizer: Optimizer
  private let names: [String]
  private let parameters: [Tensor]
  /// One list for each of `kinds`, laid out as the parameters.
  private let lists: [[Tensor]]
  /// AdamW's t. It is kept apart from the process's steps, which start again at a branch point.
  private let count: Tensor?

  /// What is kept, under PyTorch's names.
  private static func kinds(_ optimizer: Optimizer) -> [String] {
    switch optimizer {
    case .sgd(let sgd): sgd.momentum > 0 ? ["velocity"] : []
    case .adamW: ["exp_avg", "exp_avg_sq"]
    }
  }

  /// - Parameter slots: what `slots` gave, to continue from; empty: start afresh
  /// - Throws: `FileError` when it does not belong to this optimizer and these parameters.
  init(_ optimizer: Optimizer, names: [String], parameters: [Tensor], slots saved: Weights = Weights()) throws {
    self.optimizer = optimizer
    self.names = names
    self.parameters = parameters
    lists = try Self.kinds(optimizer).map { _ in try parameters.map { try $0.detach().zerosLike() } }
    if case .adamW = optimizer {
      count = try .zeros([], device: parameters.first?.device ?? .cpu)
    } else {
      count = nil
    }
    let own = slots
    guard !own.isEmpty, !saved.isEmpty else { return }
    try own.requireSameLayout(as: saved)
    // Copied into place, so that each slot keeps its parameter's strides.
    for (name, tensor) in own {
      if let value = saved[name] { try tensor.copy(from: value) }
    }
  }

  /// The tensors themselves, as `velocity/<parameter>`, `exp_avg/<parameter>`, `exp_avg_sq/<parameter>` and `updates`.
  var slots: Weights {
    let named = zip(Self.kinds(optimizer), lists).flatMap { kind, tensors in
      zip(names, tensors).map { ("\(kind)/\($0)", $1) }
    }
    return Weights(named + (count.map { [("updates", $0)] } ?? []))
  }

  /// Updates the parameters that have a gradient, in place. As in PyTorch, one that the loss does not depend on stays
  /// as it is, without weight decay.
  func update(gradients: [Tensor?], learningRate: Double) throws {
    let places = gradients.indices.filter { gradients[$0] != nil }
    func part(_ tensors: [Tensor]) -> [Tensor] { places.map { tensors[$0] } }
    let (parameters, gradients, lists) = (part(parameters), gradients.compactMap { $0 }, lists.map(part))
    if let clip = optimizer.clip { try FusedOptimizer.clipNorm(of: gradients, to: clip) }
    switch optimizer {
    case .sgd(let sgd):
      try sgd.update(parameters, gradients: gradients, velocity: lists.first ?? [], learningRate: learningRate)
    case .adamW(let adamW):
      guard let count else { return }
      try adamW.update(
        parameters, gradients: gradients, averages: lists[0], squares: lists[1], count: count,
        learningRate: learningRate)
    }
  }
}
