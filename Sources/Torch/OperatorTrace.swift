import Synchronization

/// What one operator was given and gave.
public struct OperatorCall: Sendable {
  /// The dispatcher's name: "aten::conv2d".
  public let name: String
  /// The tensors among its arguments, in order.
  public let arguments: [Tensor]
  public let results: [Tensor]
}

enum OperatorTrace {
  /// How many traces are open in the process: while it is 0, an operator pays one comparison for the possibility.
  static let open = Atomic<Int>(0)
  @TaskLocal static var report: (@Sendable (OperatorCall) -> Void)?

  @inline(__always)
  static func note(_ name: StaticString, _ arguments: [any OperatorArgument], _ results: @autoclosure () -> [Tensor]) {
    guard open.load(ordering: .relaxed) > 0 else { return }
    report?(OperatorCall(name: "\(name)", arguments: arguments.flatMap(\.tensors), results: results()))
  }
}

/// Runs `body` and reports every operator that it calls in this task.
public func tracingOperators<Result>(
  _ report: @escaping @Sendable (OperatorCall) -> Void, _ body: () throws -> Result
) rethrows -> Result {
  OperatorTrace.open.add(1, ordering: .relaxed)
  defer { OperatorTrace.open.subtract(1, ordering: .relaxed) }
  return try OperatorTrace.$report.withValue(report) { try body() }
}

/// Whether operators are reported to anybody: what would be done in fewer of them is then done one by one.
public var tracesOperators: Bool { OperatorTrace.open.load(ordering: .relaxed) > 0 }

extension Tensor {
  /// Equal for two values exactly when they are the same tensor of libtorch's, as long as either lives.
  public var identity: UInt { UInt(bitPattern: reference.handle) }
}
