import Synchronization

/// One call of an operator: what it was given and what it returned.
public struct OperatorCall: Sendable {
  /// The dispatcher's name: "aten::conv2d".
  public let name: String
  /// The tensors among its arguments, in order.
  public let arguments: [Tensor]
  /// The tensors it returned, in order.
  public let results: [Tensor]
}

enum OperatorTrace {
  /// How many traces are open in the process. While it is 0, an operator pays one comparison for the possibility.
  static let open = Atomic<Int>(0)
  @TaskLocal static var report: (@Sendable (OperatorCall) -> Void)?

  @inline(__always)
  static func note(_ name: StaticString, _ arguments: [any OperatorArgument], _ results: @autoclosure () -> [Tensor]) {
    guard open.load(ordering: .relaxed) > 0 else { return }
    report?(OperatorCall(name: "\(name)", arguments: arguments.flatMap(\.tensors), results: results()))
  }
}

/// Runs `body` and reports every operator that it calls in this task, in order.
///
/// - Parameters:
///   - report: is called after each operator has returned; it may keep the tensors
///   - body: what is watched
public func tracingOperators<Result>(
  _ report: @escaping @Sendable (OperatorCall) -> Void, _ body: () throws -> Result
) rethrows -> Result {
  OperatorTrace.open.add(1, ordering: .relaxed)
  defer { OperatorTrace.open.subtract(1, ordering: .relaxed) }
  return try OperatorTrace.$report.withValue(report) { try body() }
}

/// Whether any task in the process is being traced. Code that would combine operators then calls them one by one.
public var tracesOperators: Bool { OperatorTrace.open.load(ordering: .relaxed) > 0 }

extension Tensor {
  /// A number that two values share if and only if they refer to the same tensor, as long as either of them lives.
  public var identity: UInt { UInt(bitPattern: reference.handle) }
}
