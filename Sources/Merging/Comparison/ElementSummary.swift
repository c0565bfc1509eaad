import Torch

/// A tensor's elements in a few numbers.
public struct ElementSummary: Sendable, Hashable {
  /// How many are NaN or infinite; the other numbers leave these out.
  public let notFinite: Int
  /// How many are 0.
  public let zeros: Int
  /// In float64; nil where there are no finite elements.
  public let mean: Double?
  /// The standard deviation with the count in the denominator; nil where there are no finite elements.
  public let deviation: Double?
  /// nil where there are no finite elements.
  public let least: Double?
  /// nil where there are no finite elements.
  public let largest: Double?

  /// Reads a tensor of any shape and type once.
  ///
  /// - Throws: `TorchError` where it cannot be brought to main memory.
  public init(_ tensor: Tensor) throws {
    var (notFinite, zeros, sum, squares, count) = (0, 0, 0.0, 0.0, 0)
    var (least, largest) = (Double.infinity, -Double.infinity)
    let inputs = try MergeInputs(models: [TensorSource(tensor)], workspace: Workspace())
    try inputs.forEachChunk { range in
      let vector = inputs.model(0, range)
      for index in 0..<vector.count {
        let value = vector[index]
        guard value.isFinite else {
          notFinite += 1
          continue
        }
        zeros += value == 0 ? 1 : 0
        sum += value
        squares += value * value
        count += 1
        least = min(least, value)
        largest = max(largest, value)
      }
    }
    (self.notFinite, self.zeros) = (notFinite, zeros)
    let mean = count > 0 ? sum / Double(count) : nil
    self.mean = mean
    deviation = mean.map { max(0, squares / Double(count) - $0 * $0).squareRoot() }
    self.least = count > 0 ? least : nil
    self.largest = count > 0 ? largest : nil
  }
}

extension Vector {
  fileprivate subscript(index: Int) -> Double {
    kernels.pointee.width == 8
      ? elements.assumingMemoryBound(to: Double.self)[index]
      : Double(elements.assumingMemoryBound(to: Float.self)[index])
  }
}
