import Torch

/// A tensor's elements in a few numbers.
public struct ElementSummary: Sendable, Hashable {
  /// NaN or infinite.
  public let notFinite: Int
  public let zeros: Int
  /// Of the finite elements, in float64; nil where there are none.
  public let mean: Double?
  /// With the count in the denominator.
  public let deviation: Double?
  public let least: Double?
  public let largest: Double?

  public init(_ tensor: Tensor) throws {
    var (notFinite, zeros, sum, squares, count) = (0, 0, 0.0, 0.0, 0)
    var (least, largest) = (Double.infinity, -Double.infinity)
    let inputs = try MergeInputs(
      name: "", models: [TensorSource(tensor)], base: nil, seed: 0, workspace: Workspace())
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
