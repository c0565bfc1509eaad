import Landscape

/// What to measure points of weight space on.
public struct Measuring: Hashable, Sendable {
  /// Which examples of a dataset.
  public enum Part: String, Codable, CaseIterable, Sendable { case train, test, both }

  /// Which examples.
  public var split: Part
  /// Only the first N of each split; nil for all, or as many as the measurement usually takes.
  public var examples: Int?
  /// Where BatchNorm's statistics come from at each point.
  public var batchNorm: BatchNormPolicy

  /// By default, all examples of both splits, with BatchNorm re-estimated on 2000 training examples.
  public init(split: Part = .both, examples: Int? = nil, batchNorm: BatchNormPolicy = .subset(2000)) {
    (self.split, self.examples, self.batchNorm) = (split, examples, batchNorm)
  }

  /// - Throws: `WorkbenchError` for a number of examples below 1.
  public func check() throws { try WorkbenchError.require("examples", examples ?? 1, in: 1...Int.max) }
}
