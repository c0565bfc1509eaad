import Checkpoints
import Foundation
import Landscape
import Support

/// What was measured of the loss around and between the endpoints of a branch point: `landscape/<step>.json` in a run's
/// folder.
public struct LandscapeRow: Codable, Hashable, Sendable {
  /// Along the straight line θ(λ) = (1 − λ) A + λ B between two endpoints.
  public struct Path: Codable, Hashable, Sendable {
    /// A and B.
    public var endpoints: [Int]
    /// How B was permuted onto A before; nil: not at all.
    public var alignment: String?
    /// λ of each point, from 0 to 1
    public var positions: [Double]
    /// Mean cross-entropy at each point, nats, without augmentation
    public var trainLoss: [Double]
    /// Mean cross-entropy on test examples at each point, nats
    public var testLoss: [Double]
    /// Fractions
    public var testAccuracy: [Double]
  }

  /// The Hessian's largest eigenvalues at an endpoint, of the mean training loss in evaluation mode.
  public struct Spectrum: Codable, Hashable, Sendable {
    /// Which endpoint
    public var endpoint: Int
    /// From the largest on
    public var eigenvalues: [Double]
    /// ‖Hv − λv‖ of each
    public var residuals: [Double]
    /// Whether every residual came below the tolerance
    public var isConverged: Bool
    /// Training examples that the loss is the mean over
    public var examples: Int
  }

  /// Linear CKA of two endpoints' penultimate activations on test examples.
  public struct Similarity: Codable, Hashable, Sendable {
    /// The pair
    public var endpoints: [Int]
    /// The layer whose activations are compared
    public var layer: String
    /// Their similarity, 0 … 1
    public var cka: Double
  }

  /// Trunk steps at the branch point.
  public var step: Int
  /// The same in epochs
  public var epoch: Double
  /// One for each pair of endpoints, and another for each pair that was aligned
  public var paths: [Path] = []
  /// At the first endpoint; empty where no curvature was asked for
  public var spectra: [Spectrum] = []
  /// One for each pair of endpoints
  public var similarities: [Similarity] = []
  /// The plane through the trunk and the first two endpoints
  public var plane: PlaneMeasure?
}

extension RunFolder {
  /// Where landscapes go, a file for each branch point measured.
  static func landscapes(of run: URL) -> URL { run.appendingPathComponent("landscape") }

  /// Keeps what was measured at a branch point.
  func write(_ landscape: LandscapeRow) throws {
    try checkOwnership()
    let place = Self.landscapes(of: url)
    try makeFolder(place)
    try writeAtomically(
      try RowFile.makeEncoder().encode(landscape), to: place.appendingPathComponent("\(landscape.step).json").path)
  }

  /// What was measured in a run's folder, by rising step; empty where nothing was.
  /// - Throws: `FileError` for a file that is not what `write` makes.
  static func landscapes(in run: URL) throws -> [LandscapeRow] {
    let place = landscapes(of: run)
    guard FileManager.default.fileExists(atPath: place.path) else { return [] }
    let names = try FileManager.default.contentsOfDirectory(atPath: place.path).filter { $0.hasSuffix(".json") }
    return try names.map { name in
      let file = place.appendingPathComponent(name)
      do {
        return try RowFile.makeDecoder().decode(LandscapeRow.self, from: Data(contentsOf: file))
      } catch {
        throw FileError(file.path, "is no landscape: \(brief(error)); delete it and measure anew")
      }
    }.sorted { $0.step < $1.step }
  }
}
