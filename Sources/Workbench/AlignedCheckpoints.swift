import Checkpoints
import Foundation
import Weights

/// Networks whose units are in the same order: the result of `CheckpointAlignment`.
public struct AlignedCheckpoints {
  /// What was found, and which files were written.
  public private(set) var summary: AlignmentSummary
  /// The networks in the order they were given, under the network's own tensor names.
  public let weights: [Weights]
  private let inputs: AlignmentInputs
  private let paths: AlignmentPaths?

  init(summary: AlignmentSummary, weights: [Weights], inputs: AlignmentInputs, paths: AlignmentPaths?) {
    (self.summary, self.weights, self.inputs, self.paths) = (summary, weights, inputs, paths)
  }

  /// The mean of the networks, under the network's own tensor names. With data, BatchNorm statistics are re-estimated,
  /// and the mean of two networks is repaired if that was requested.
  public func mean() throws -> Weights { try paths?.mean(weights) ?? Weights.mean(weights) }

  /// Writes aligned networks as safetensors, under the names and in the types of the files they came from.
  ///
  /// - Parameters:
  ///   - targets: a path for each network; nil for one that is not written
  ///   - merged: a path for the mean, written like the first file; nil for none
  ///   - report: hears where a file's tensor names could not be kept
  /// - Throws: `FileError`. Each file appears whole or not at all.
  public mutating func write(
    to targets: [String?], merged: String? = nil, report: News.Listener = { _ in }
  ) throws {
    guard targets.count == weights.count else {
      throw WorkbenchError("there are \(targets.count) places for \(weights.count) networks")
    }
    let isMean = summary.networks.count == weights.count
    let metadata = [
      "format": "pt", "align.method": summary.method.rawValue, "align.seed": "\(summary.seed)",
      "align.reference": isMean ? "mean" : URL(fileURLWithPath: summary.reference).lastPathComponent,
    ]
    func put(_ weights: Weights, like index: Int, to path: String) throws {
      let (renamed, notes) = try inputs.files[index].renamed(weights, of: inputs.network)
      for note in notes { report(.note("\(path): \(note)")) }
      try Safetensors.write(renamed, metadata: metadata, to: path)
    }
    for (index, path) in targets.enumerated() {
      guard let path else { continue }
      try put(weights[index], like: index, to: path)
      if isMean || index > 0 { summary.networks[isMean ? index : index - 1].output = path }
    }
    if let merged {
      try put(mean(), like: 0, to: merged)
      summary.merged = merged
    }
  }
}
