import Synchronization
import Torch

/// What a module of a network was given and what it gave, once in a forward pass.
public struct Observation {
  /// As in PyTorch's `named_modules`: `layer1.0.conv1`; empty for the network itself.
  public let name: String
  /// What it was given. Activation functions are no modules: what comes out of a ReLU is the input of what follows it.
  public let input: Tensor
  /// What it gave. The network may go on in this memory (ReLU in place): copy what has to outlast the report.
  public let output: Tensor
}

extension Module {
  /// The output for an input: `forward`'s or, where nobody would notice, that of the module's evaluation view.
  ///
  /// - Throws: `TorchError` for an input that does not fit; what an observer throws.
  public func callAsFunction(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    if mode == .evaluation, !recordsGradients, !tracesOperators, !observesModules, let view = try evaluationView() {
      return try view.forward(input, mode)
    }
    return try observed(input) { try forward(input, mode) }
  }

  /// Runs `body` and reports every call of a module of this network in it, innermost first: `layer1.0.bn2` before
  /// `layer1.0`.
  ///
  ///     try network.observing(["layer1.0", "fc"]) { seen in
  ///       if seen.name == "fc" { features = try seen.input.clone() }
  ///     } during: {
  ///       _ = try network(pictures, .evaluation)
  ///     }
  ///
  /// A module is known by its parameters, so those without (ReLU, pooling, dropout) are not reported. In a vision
  /// transformer's last block only the class token is worked out behind the attention. An observation within `body`
  /// takes this one's place until it ends.
  ///
  /// - Parameters:
  ///   - names: the modules to report, of those in `observableModules`
  ///   - report: gets one call after the other, and stops the pass by throwing
  /// - Throws: `TorchError` for a name that no module has; what `report` and `body` throw.
  public func observing<Result>(
    _ names: some Sequence<String>, _ report: (Observation) throws -> Void, during body: () throws -> Result
  ) throws -> Result {
    let all = identifiedModules()
    let wanted = Set(names)
    if let unknown = wanted.subtracting(all.map(\.name)).min() {
      throw TorchError(
        operation: "observing",
        message: "no module is called '\(unknown)'; there are \(all.map(\.name).joined(separator: ", "))")
    }
    let chosen = all.filter { wanted.contains($0.name) }.map { ($0.identity, $0.name) }
    return try withoutActuallyEscaping(report) { report in
      let observer = Observer(names: Dictionary(chosen) { first, _ in first }, report: report)
      Observer.open.add(1, ordering: .relaxed)
      defer { Observer.open.subtract(1, ordering: .relaxed) }
      return try Observer.$current.withValue(observer) { try body() }
    }
  }

  /// The names of all modules that can be observed, in the order of declaration, the network itself ("") first.
  public var observableModules: [String] { identifiedModules().map(\.name) }

  private func identifiedModules() -> [(name: String, identity: ModuleIdentity)] {
    var found: [(String, ModuleIdentity)] = []
    visit(self, module: { name, module in ModuleIdentity(module).map { found.append((name, $0)) } })
    return found
  }

  /// The output of `body`, which is this module's, reported to whoever observes it. For parts of the work of a module
  /// that are done without calling it.
  func observed(_ input: Tensor, _ body: () throws -> Tensor) throws -> Tensor {
    let output = try body()
    guard Observer.open.load(ordering: .relaxed) > 0, let observer = Observer.current else { return output }
    if let identity = ModuleIdentity(self), let name = observer.names[identity] {
      try observer.report(Observation(name: name, input: input, output: output))
    }
    return output
  }
}

/// Whether modules are observed in this task: what would be joined or left out for speed is then done one by one.
var observesModules: Bool { Observer.open.load(ordering: .relaxed) > 0 && Observer.current != nil }

/// Tells the modules of a network apart. They are values; the boxes of their parameters are not.
private struct ModuleIdentity: Hashable {
  let type: ObjectIdentifier
  let firstParameter: ObjectIdentifier
  let count: Int

  init?(_ module: any Module) {
    var first: Parameter?
    var count = 0
    visit(
      module,
      parameter: {
        first = first ?? $1
        count += 1
      })
    guard let first else { return nil }
    type = ObjectIdentifier(Swift.type(of: module))
    firstParameter = ObjectIdentifier(first)
    self.count = count
  }
}

/// Whom the modules of one task report to.
///
/// Unchecked: `observing` runs its body to the end in one task, and what it reports to does not leave that task.
private final class Observer: @unchecked Sendable {
  /// How many observations there are in the process: while it is 0, a call of a module pays one comparison for the
  /// possibility.
  static let open = Atomic<Int>(0)
  @TaskLocal static var current: Observer?

  let names: [ModuleIdentity: String]
  let report: (Observation) throws -> Void

  init(names: [ModuleIdentity: String], report: @escaping (Observation) throws -> Void) {
    self.names = names
    self.report = report
  }
}
