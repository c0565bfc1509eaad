import Support
import Torch
import Weights

/// A named tensor of a network. Layers hold their tensors in these boxes, so that a network can be put at any point of
/// weight space by exchanging the tensors and without copying a number.
public final class Parameter {
  /// Of the shape that the layer documents.
  public var value: Tensor
  /// False for buffers, which are not trained: BatchNorm's running statistics.
  public let isTrainable: Bool

  /// A box that holds `value`.
  public init(_ value: Tensor, isTrainable: Bool = true) {
    self.value = value
    self.isTrainable = isTrainable
  }
}

/// What a forward pass is for.
public enum Mode: Sendable, Hashable {
  /// Batch statistics normalise and running statistics follow them.
  case training
  /// Running statistics normalise.
  case evaluation
  /// Batch statistics normalise and running statistics become the plain average over the batches seen: the `batch`th
  /// (from 0) enters with weight 1 / (batch + 1). PyTorch's BatchNorm with `momentum=None`.
  case reestimation(batch: Int)
}

/// A network or a part of one: plain stored properties that are parameters, other modules, or arrays of modules.
///
/// Names are the properties' in PyTorch's spelling: `layer1: [BasicBlock]` holding `conv1: Conv2d` gives
/// `layer1.0.conv1.weight`, and `runningMean` gives `running_mean`.
///
/// A module is written as `forward` and called as a function, `network(input, mode)`, which is how `observing` sees it.
public protocol Module {
  /// The output for an input. Its shapes and types are the module's own matter.
  ///
  /// - Throws: `TorchError` for an input that does not fit.
  func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor

  /// What runs in place of `forward` where the module is evaluated, and nobody asks for gradients or looks on: the same
  /// function of the same weights in fewer passes over memory. It is made for each call, so that it follows the
  /// weights. nil, the default: `forward` itself.
  func evaluationView() throws -> (any Module)?
}

extension Module {
  /// None.
  public func evaluationView() throws -> (any Module)? { nil }
}

/// A module that draws random numbers in training. Who trains seeds its generator anew for every step, so that a step's
/// draws depend on nothing that went before.
public protocol RandomModule: Module {
  /// Draws the numbers, one after the other.
  var generator: Generator { get }
}

extension Module {
  /// Every parameter and buffer by name, in the order of declaration.
  public func parameters() -> [(name: String, parameter: Parameter)] {
    var found: [(String, Parameter)] = []
    visit(self, parameter: { found.append(($0, $1)) })
    return found
  }

  /// The generators of everything in the network that draws random numbers in training, in the order of declaration.
  public func generators() -> [Generator] {
    var found: [Generator] = []
    visit(self, module: { if let random = $1 as? any RandomModule { found.append(random.generator) } })
    return found
  }

  /// The point in weight space where the network stands. Tensors are shared, not copied.
  public var weights: Weights { Weights(parameters().map { ($0.name, $0.parameter.value) }) }

  /// Puts the network at a point. Tensors are shared, not copied.
  ///
  /// - Throws: `FileError` that lists every name, shape and type that does not fit; the network is then
  ///   unchanged.
  public func load(_ weights: Weights) throws {
    let parameters = parameters()
    try requireLoadable(weights, in: parameters)
    for (name, parameter) in parameters {
      if let tensor = weights[name] { parameter.value = tensor }
    }
  }

  /// Runs `body` with the network at a point of weight space, and puts it back where it stood, whether or not `body`
  /// throws.
  ///
  ///     let loss = try network.at(merged) { try Evaluation(network, on: test).loss }
  ///
  /// What is trained is shared with `weights`. Buffers are copies, so that passes which change BatchNorm's statistics
  /// leave those of `weights` alone; within `body`, `network.weights` is the point with the statistics as they are by
  /// then.
  ///
  /// - Throws: `FileError` that lists every name, shape and type that does not fit, and what `body` throws.
  public func at<Result>(_ weights: Weights, _ body: () throws -> Result) throws -> Result {
    let parameters = parameters()
    try requireLoadable(weights, in: parameters)
    let former = parameters.map(\.parameter.value)
    defer { for ((_, parameter), tensor) in zip(parameters, former) { parameter.value = tensor } }
    for (name, parameter) in parameters {
      guard let tensor = weights[name] else { continue }
      parameter.value = parameter.isTrainable ? tensor : try tensor.clone()
    }
    return try body()
  }

  /// Throws when weights cannot stand in these parameters, listing every difference.
  private func requireLoadable(_ weights: Weights, in parameters: [(name: String, parameter: Parameter)]) throws {
    let own = Weights(parameters.map { ($0.name, $0.parameter.value) })
    let differences = own.layoutDifferences(from: weights)
    guard differences.isEmpty else {
      throw FileError(
        "", "these are not the weights of this network:\n  " + differences.joined(separator: "\n  "))
    }
  }

  /// Puts the network on a device, with 4-dimensional weights in `format`.
  public func move(to device: Device, format: MemoryFormat = .contiguous) throws {
    for (_, parameter) in parameters() {
      let moved = try parameter.value.to(device)
      parameter.value = moved.rank == 4 ? try moved.contiguous(format) : moved
    }
  }

  /// Whether any layer keeps statistics that a merge may want re-estimated.
  public var hasBatchNorm: Bool { parameters().contains { $0.name.hasSuffix("running_mean") } }
}

/// Goes through a module and all it is made of, in the order of declaration; the first is shown as "".
func visit(
  _ module: any Module, name: String = "", module visitModule: (String, any Module) -> Void = { _, _ in },
  parameter visitParameter: (String, Parameter) -> Void = { _, _ in }
) {
  visitModule(name, module)
  func visitPart(_ part: any Module, _ name: String) {
    visit(part, name: name, module: visitModule, parameter: visitParameter)
  }
  let prefix = name.isEmpty ? "" : name + "."
  for child in Mirror(reflecting: module).children {
    guard let label = child.label else { continue }
    let name = prefix + snakeCase(label)
    switch child.value {
    case let parameter as Parameter: visitParameter(name, parameter)
    case let part as any Module: visitPart(part, name)
    case let parts as [any Module]:
      for (index, part) in parts.enumerated() { visitPart(part, "\(name).\(index)") }
    case let optional as Parameter?:
      if let optional { visitParameter(name, optional) }
    default: break
    }
  }
}

private func snakeCase(_ name: String) -> String {
  name.reduce(into: "") { result, character in
    if character.isUppercase {
      result += "_" + character.lowercased()
    } else {
      result.append(character)
    }
  }
}
