import Checkpoints
import Foundation
import Support
import Training
import Weights

/// A place in a run.
struct RunPlace: Codable {
  /// Which branch point comes next or is being worked on.
  var branch = 0
  /// nil: on the trunk. The number of endpoints: at merging.
  var endpoint: Int?
  var metricsLength = 0
  var resultsLength = 0
}

/// The weights in a run's folder, and where the run stands.
struct RunCheckpoints {
  private let folder: RunFolder
  private let endpoints: Int

  init(_ folder: RunFolder, steps: RunSteps) {
    self.folder = folder
    endpoints = steps.endpoints
  }

  private var resumePath: String { path("resume") }
  private func trunkPath(_ point: Int) -> String { path("trunk-\(point)") }
  private func endpointPath(_ point: Int, _ index: Int) -> String { path("endpoint-\(point)-\(index)") }
  private func path(_ name: String) -> String {
    folder.checkpoints.appendingPathComponent(name + ".safetensors").path
  }

  /// What a checkpoint says of itself.
  private var metadata: [String: String] { ["run": folder.configuration.id, "format": "pt"] }

  // MARK: Weights

  /// Keeps the trunk at a branch point.
  func write(_ trunk: TrainingState, at point: Int) throws {
    try folder.checkOwnership()
    try trunk.write(to: trunkPath(point), metadata: metadata)
  }

  func trunk(at point: Int) throws -> TrainingState {
    try readable { try TrainingState.read(trunkPath(point)).state }
  }

  /// Keeps a decayed endpoint.
  func write(_ weights: Weights, at point: Int, endpoint: Int) throws {
    try Safetensors.write(weights, metadata: metadata, to: endpointPath(point, endpoint))
  }

  func weights(at point: Int, endpoint: Int) throws -> Weights {
    try readable { try Safetensors.read(endpointPath(point, endpoint)).weights }
  }

  /// Keeps what the networks of a branch point predicted.
  func write(_ predictions: Predictions, at point: Int) throws {
    try folder.checkOwnership()
    try makeFolder(folder.predictions)
    try predictions.write(
      to: folder.predictions.appendingPathComponent("\(point).safetensors").path, metadata: metadata)
  }

  /// Removes the checkpoints that the configuration does not keep.
  func discard(branchedAt point: Int) throws {
    let keep = folder.configuration.checkpoints.keep
    if keep == .trunk || keep == .none {
      for endpoint in 0..<endpoints { try remove(endpointPath(point, endpoint)) }
    }
    if keep == .endpoints || keep == .none { try remove(trunkPath(point)) }
  }

  private func remove(_ path: String) throws {
    if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
  }

  // MARK: The place

  /// Writes where the run stands; `state` is what is in training, if anything is.
  func save(_ state: TrainingState?, _ place: RunPlace) throws {
    try folder.checkOwnership()
    try folder.metrics.synchronise()
    var place = place
    place.metricsLength = folder.metrics.length
    place.resultsLength = folder.results.length
    let encoder = JSONEncoder()
    // The same place, the same bytes.
    encoder.outputFormatting = .sortedKeys
    let text = String(decoding: try encoder.encode(place), as: UTF8.self)
    try (state ?? TrainingState(weights: Weights())).write(
      to: resumePath, metadata: metadata.merging(["place": text]) { $1 })
  }

  func restore() throws -> (RunPlace, TrainingState?) {
    guard FileManager.default.fileExists(atPath: resumePath) else { return (RunPlace(), nil) }
    let (state, metadata) = try readable { try TrainingState.read(resumePath) }
    guard let text = metadata["place"], let place = try? JSONDecoder().decode(RunPlace.self, from: Data(text.utf8)),
      metadata["run"] == folder.configuration.id
    else {
      throw FileError(
        resumePath,
        "does not say where run \(folder.configuration.id) stands; delete it and the run starts over")
    }
    return (place, state.weights.isEmpty ? nil : state)
  }

  /// Adds to an error about a checkpoint what to do: none is ever half-written, so the disk or somebody else has
  /// damaged it.
  private func readable<Value>(_ read: () throws -> Value) throws -> Value {
    do {
      return try read()
    } catch let error as FileError {
      throw FileError(
        error.path,
        "\(error.message); the file was damaged after it was written. "
          + "Delete \(folder.checkpoints.path) and the run starts over, to the same results")
    }
  }
}
