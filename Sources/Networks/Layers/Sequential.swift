import Torch

/// Modules one after the other, named by their places: `0.weight`, `3.weight`. PyTorch's `Sequential`.
public struct Sequential: Module, CustomReflectable {
  /// In the order in which they are called.
  public let layers: [any Module]

  /// A module that calls `layers` one after the other; without any it gives back what it is given.
  public init(_ layers: [any Module]) { self.layers = layers }

  /// The layers by their places.
  public var customMirror: Mirror { Mirror(self, children: layers.enumerated().map { ("\($0)", $1 as Any) }) }

  /// The result of the last layer.
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try layers.reduce(input) { try $1($0, mode) }
  }
}
