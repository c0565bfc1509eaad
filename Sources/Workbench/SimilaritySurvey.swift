import Checkpoints
import Foundation
import Landscape
import Networks
import Support

/// How alike two networks represent the same examples, layer by layer: linear centred kernel alignment, 1 for
/// representations that are the same up to rotation and scale, 0 for unrelated ones.
///
///     let bench = try Bench(["a.safetensors", "b.safetensors"], from: source)
///     let found = try SimilaritySurvey(layers: ["layer1.0", "layer4.1"]).measure(bench)
///     print(found.cka.diagonal)
public struct SimilaritySurvey: Hashable, Sendable {
  /// Names of the network's modules, or `CKA.penultimate` for the input of the classifier; nil for all.
  public var layers: [String]?
  /// Whether to compare every layer with every other, and not only with itself.
  public var allPairs: Bool
  /// Examples at a time; 4 or more.
  public var batchSize: Int

  /// By default, the input of the classifier.
  public init(layers: [String]? = [CKA.penultimate], allPairs: Bool = false, batchSize: Int = 250) {
    (self.layers, self.allPairs, self.batchSize) = (layers, allPairs, batchSize)
  }

  /// The similarity of two networks.
  public struct Similarity: Encodable, Sendable {
    /// Names of the two networks
    public var weights: [String]
    /// Values by pair of layers
    public var cka: CKA
  }

  /// Checks the settings, without reading a file.
  /// - Throws: `WorkbenchError` for the first problem.
  public func check(weights count: Int) throws {
    guard count == 2 else { throw WorkbenchError("there are \(count) weights; CKA compares two") }
    try WorkbenchError.require("batchSize", batchSize, in: 4...100_000)
    guard layers?.isEmpty != true else { throw WorkbenchError("`layers` is empty") }
  }

  /// Compares a bench's two points.
  ///
  /// - Parameter folder: keeps every batch, so that an interrupted measurement can continue; nil keeps nothing
  /// - Throws: `WorkbenchError` for a layer that is none, `LandscapeError`, `FolderLock.Held` where another process
  ///   measures into the folder, `TorchError`.
  public func measure(
    _ bench: Bench, keptIn folder: URL? = nil, report: @escaping News.Listener = { _ in }
  ) throws -> Measured<Similarity> {
    try check(weights: bench.points.count)
    let (examples, words) = try bench.examples(usual: .test)
    let placer = try bench.placer()
    let layers = try chosenLayers(of: bench.network, on: examples)
    let points = try bench.placed(bench.points.map(\.weights), by: placer)
    let store = try bench.store(folder, placer, report: report)
    let key = try "cka \(bench.points.map { try $0.weights.fingerprint() }) \(layers) \(allPairs)"
    let cka = try CKA(
      of: bench.network, at: points[0], points[1], layers: layers, allPairs: allPairs, on: examples,
      batchSize: batchSize, progress: { report(.progress("example", $0, of: examples.count)) }
    ) { range, measure in
      try store("\(key) \(range)", measure)
    }
    return bench.measured(Similarity(weights: bench.points.map(\.name), cka: cka), words, placer)
  }

  private func chosenLayers(of network: any Module, on examples: PreparedExamples) throws -> [String] {
    let known = try CKA.layers(of: network, on: examples)
    guard let layers else { return known }
    for name in layers where !known.contains(name) && name != CKA.penultimate {
      let guess = closest(to: name, in: known + [CKA.penultimate]).map { "; did you mean '\($0)'?" } ?? "."
      throw WorkbenchError(
        "`layers`: the network has no layer '\(name)'\(guess) Layers are \(CKA.penultimate), "
          + known.joined(separator: ", "))
    }
    return layers
  }
}
