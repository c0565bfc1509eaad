import Alignment
import Checkpoints
import Landscape
import Networks
import Studies
import Support
import Torch
import Weights

/// The networks to align.
struct AlignmentInputs {
  let network: any Module
  let files: [Checkpoint]
  /// Under the network's names, finite
  let points: [Weights]
  /// nil where no data was named
  let bench: Bench?

  /// Reads the files at `paths`. The network is that of the data's configuration, or without data the one that
  /// settings or tensor names suggest.
  init(_ paths: [String], _ source: RunSource, _ measuring: Measuring, _ report: News.Listener) throws {
    files = try paths.map { try Checkpoint.read($0) }
    if source.namesData(for: paths[0]) {
      let configuration = try source.configuration(for: paths[0], usesBatches: measuring.batchNorm != .off)
      let bench = try Bench(files, PreparedRun(configuration), measuring, report)
      (self.bench, network, points) = (bench, bench.network, bench.points.map(\.weights))
      return
    }
    bench = nil
    let network = try Self.network(files[0], source)
    self.network = network
    points = try files.map { file in
      do {
        for message in try network.loadPretrained(file.weights, head: .kept) {
          report(.note("\(file.path): \(message)"))
        }
      } catch let error as FileError {
        let remedy =
          file.path == paths[0]
          ? "Say which network this is with `model.name` and `model.…`."
          : "Only networks that differ in nothing but their weights can be aligned; the reference is \(paths[0])."
        throw WorkbenchError("\(file.path): \(error.message)\n\(remedy)")
      }
      let weights = network.weights
      try weights.requireFinite(of: file.path)
      return weights
    }
  }

  private static func network(_ file: Checkpoint, _ source: RunSource) throws -> any Module {
    let guess = Architecture.guess(from: file.weights)
    var (model, input) = (guess?.architecture, guess?.input)
    if source.namesModel {
      model = try source.configuration(for: file.path, usesBatches: false).model
      if guess?.architecture.name != model?.name { input = nil }
    }
    guard let model else {
      throw WorkbenchError(
        "\(file.path): its names match no network here, so its symmetries are not known; say which network it is with "
          + "`model.name`. The first names: \(file.weights.names.prefix(4).joined(separator: ", "))")
    }
    return try model.makeNetwork(
      input: input ?? model.usualInput, classes: guess?.classes ?? 1000, generator: Generator(seed: 0))
  }
}
