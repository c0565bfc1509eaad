import Torch
import Weights

extension Weights {
  /// Makes sure that there is something to measure.
  ///
  /// - Parameter path: whose weights these are
  /// - Throws: `LandscapeError` that names the first tensor with a NaN or an infinity in it.
  public func requireFinite(of path: String) throws {
    for (name, tensor) in self where tensor.dtype.isFloatingPoint {
      let finite = try tensor.isFinite().countNonzero().intItem()
      guard finite == tensor.count else {
        throw LandscapeError(
          "\(path): \(name) \(tensor.shapeDescription) has \(tensor.count - finite) of \(tensor.count) elements that "
            + "are NaN or infinite; nothing can be measured from weights of a training that diverged")
      }
    }
  }
}
