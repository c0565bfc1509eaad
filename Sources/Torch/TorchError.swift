import CTorch

/// What libtorch refused, with the operator and the shapes it was given.
public struct TorchError: Error, CustomStringConvertible, Sendable {
  /// The operator's name: "aten::matmul".
  public let operation: String
  /// libtorch's own words.
  public let message: String
  /// The tensors given, as "[2, 3] float32".
  public let arguments: [String]

  public init(operation: String, message: String, arguments: [String] = []) {
    self.operation = operation
    self.message = message
    self.arguments = arguments
  }

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
