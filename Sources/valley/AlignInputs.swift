import Alignment
import Checkpoints
import Foundation
import Landscape
import Networks
import Support
import Torch
import Weights

/// The networks that `valley align` is given.
struct AlignInputs {
  let network: any Module
  let files: [Checkpoint]
  /// Under the network's names, finite.
  let points: [Weights]
  /// nil where no data was given.
  let session: LandscapeSession?

  /// Reads the files at `paths`. The network is that of the data's configuration; without data, what the names suggest.
  init(_ paths: [String], _ options: LandscapeOptions) throws {
    files = try paths.map { try Checkpoint.read($0) }
    if try options.namesData(paths[0]) {
      let session = try options.session(paths, command: "align")
      self.session = session
      (network, points) = (session.network, session.points.map(\.weights))
      return
    }
    if let threads = options.setting.threads { Libtorch.setThreads(threads) }
    session = nil
    let network = try Self.network(files[0], options)
    self.network = network
    points = try files.map { file in
      do {
        for message in try network.loadPretrained(file.weights, head: .kept) {
          Terminal.writeError("\(file.path): \(message)\n")
        }
      } catch let error as CheckpointError {
        throw CheckpointError(
          file.path,
          file.path == paths[0]
            ? "\(error.message)\nSay which network this is with --model and --set model.…=…"
            : "\(error.message)\nNetworks can be aligned that differ in their weights only; the reference is \(paths[0])"
        )
      }
      let weights = network.weights
      for (name, tensor) in weights
      where try tensor.dtype.isFloatingPoint && tensor.isFinite().all().intItem() == 0 {
        throw CheckpointError(file.path, "\(name) has elements that are not finite")
      }
      return weights
    }
  }

  private static func network(_ file: Checkpoint, _ options: LandscapeOptions) throws -> any Module {
    let guess = Architecture.guess(from: file.weights)
    let settings = options.setting.options
    if settings.model != nil || settings.set.contains(where: { $0.hasPrefix("model") }) {
      let model = try options.setting.configuration(of: file.path, command: "align", usesBatches: false).model
      let input = guess?.architecture.name == model.name ? guess?.input : nil
      return try model.makeNetwork(
        input: input ?? model.usualInput, classes: guess?.classes ?? 1000, generator: Generator(seed: 0))
    }
    guard let guess else {
      throw CommandError(
        "\(file.path): its names are of no network here, so that its symmetries are not known; say which network it is with "
          + "--model. The first names: \(file.weights.names.prefix(4).joined(separator: ", "))")
    }
    return try guess.architecture.makeNetwork(
      input: guess.input, classes: guess.classes ?? 1000, generator: Generator(seed: 0))
  }
}

extension LandscapeOptions {
  /// Whether the options, or the place of a file in a run's folder, say which data to measure on.
  fileprivate func namesData(_ path: String) throws -> Bool {
    let options = setting.options
    let owner = URL(fileURLWithPath: path).deletingLastPathComponent()
    return setting.config != nil || setting.runFolder != nil || options.data != nil || options.text != nil
      || options.dataPath != nil || options.set.contains { $0.hasPrefix("dataset") }
      || (owner.lastPathComponent == "checkpoints"
        && FileManager.default.fileExists(
          atPath: owner.deletingLastPathComponent().appendingPathComponent("run.json").path))
  }
}

extension Checkpoint {
  /// Weights of a network under the names and in the types this file has them, with what else it holds; where the two do not correspond tensor by
  /// tensor, the weights as they are, and a sentence that says so.
  func renamed(_ own: Weights, of network: any Module) throws -> (weights: Weights, notes: [String]) {
    let candidates: [(String) -> String] =
      [{ $0 }]
      + ["module.", "_orig_mod.", "model.", "network.", "net.", "module._orig_mod."].map { prefix in { prefix + $0 } }
      + [{ $0.hasPrefix("transformer.") ? String($0.dropFirst("transformer.".count)) : $0 }]
    for theirs in candidates
    where own.allSatisfy({ weights[theirs($0)]?.shape == $1.shape }) {
      return (try filled(own.mapTensors { $1 }, theirs), [])
    }
    for scheme in (network as? any PretrainedNetwork)?.otherNames ?? [] where scheme.describes(weights) {
      let exported = try scheme.exported(own)
      guard exported.names.allSatisfy({ weights[$0] != nil }) else { continue }
      return (try filled(exported, { $0 }), [])
    }
    return (own, ["written under this network's own names, since the file's do not correspond to them one by one"])
  }

  private func filled(_ own: Weights, _ theirs: (String) -> String) throws -> Weights {
    let byName = Dictionary(zip(own.names.map(theirs), own.tensors), uniquingKeysWith: { first, _ in first })
    return try weights.mapTensors { name, tensor in
      try byName[name]?.to(.cpu).to(tensor.dtype) ?? twin(of: name, byName)?.to(.cpu).to(tensor.dtype) ?? tensor
    }
  }

  /// GPT-2's files may hold the table of embeddings a second time.
  private func twin(of name: String, _ byName: [String: Tensor]) -> Tensor? {
    name.hasSuffix("lm_head.weight")
      ? byName.first { $0.key.hasSuffix("wte.weight") && $0.value.shape == weights[name]?.shape }?.value : nil
  }
}
