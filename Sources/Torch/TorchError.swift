import CTorch

/// An operation that libtorch refused, with the shapes and types it was given.
public struct TorchError: Error, CustomStringConvertible, Sendable {
  /// The operator's name: "aten::matmul".
  public let operation: String
  /// What is wrong, in libtorch's words where it refused.
  public let message: String
  /// The tensors given, as "[2, 3] float32".
  public let arguments: [String]

  /// An error to be thrown by code that checks its tensors itself.
  public init(operation: String, message: String, arguments: [String] = []) {
    self.operation = operation
    self.message = message
    self.arguments = arguments
  }

  /// "aten::matmul([2, 3] float32, [2, 3] float32): …": the operation, its tensors and what is wrong.
  public var description: String {
    arguments.isEmpty ? "\(operation): \(message)" : "\(operation)(\(arguments.joined(separator: ", "))): \(message)"
  }
}

/// Throws the text of a failed call of the shim and frees it.
func check(_ error: VTError?, _ operation: @autoclosure () -> String, _ tensors: @autoclosure () -> [Tensor] = [])
  throws
{
  guard let error else { return }
  defer { libtorch.free(error) }
  throw TorchError(
    operation: operation(), message: String(cString: error), arguments: tensors().map(\.shapeDescription))
}
