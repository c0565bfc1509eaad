import Checkpoints
import Weights

/// What cannot be measured between these weights.
public struct LandscapeError: Error, CustomStringConvertible, Sendable {
  public let description: String
  public init(_ description: String) { self.description = description }
}

extension Weights {
  /// Throws `LandscapeError` that names the first tensor with a NaN or an infinity in it.
  /// - Parameter path: whose weights these are
  public func requireFinite(of path: String) throws {
    for (name, tensor) in zip(names, tensors) where tensor.dtype.isFloatingPoint {
      let finite = try tensor.isFinite().countNonzero().intItem()
      guard finite == tensor.count else {
        throw LandscapeError(
          "\(path): \(name) \(tensor.shapeDescription) has \(tensor.count - finite) of \(tensor.count) elements that are NaN or "
            + "infinite; nothing can be measured from weights of a training that diverged")
      }
    }
  }
}
