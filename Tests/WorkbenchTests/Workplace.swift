import Checkpoints
import Foundation
import Studies
import Synchronization
import TestSupport
import Torch
import Weights
import Workbench

/// A folder with three networks of one kind, a, b and c: MLPs of 192, 8 and 10 units with random weights.
struct Workplace {
  let scratch: TestSupport.Scratch
  /// The paths of a, b and c.
  let networks: [String]

  /// Which network and data they are for: 64 small glyphs.
  static let source = RunSource(settings: settings)
  static let settings = [
    ("model.name", "mlp"), ("model.hidden", "[8]"), ("dataset.name", "glyphs"), ("dataset.size", "8"),
    ("dataset.train", "64"), ("dataset.test", "64"), ("dataset.noise", "0.4"), ("batch_size", "16"),
  ].map { Setting(key: $0, value: $1) }

  init() throws {
    let scratch = try TestSupport.Scratch()
    self.scratch = scratch
    networks = try ["a", "b", "c"].enumerated().map { index, name in
      try Safetensors.write(Self.network(UInt64(index)), to: scratch.path("\(name).safetensors"))
      return scratch.path("\(name).safetensors")
    }
  }

  /// A network's weights; `order` permutes its hidden units.
  static func network(_ seed: UInt64, order: [Int] = Array(0..<8)) throws -> Weights {
    let random = try Generator(seed: seed)
    let indices = try Tensor(order)
    return try Weights([
      ("layers.0.weight", Tensor.normal([8, 192], generator: random).indexSelect(0, indices)),
      ("layers.0.bias", Tensor.normal([8], generator: random).indexSelect(0, indices)),
      ("layers.1.weight", Tensor.normal([10, 8], generator: random).indexSelect(1, indices)),
      ("layers.1.bias", Tensor.normal([10], generator: random)),
    ])
  }

  /// The networks, or the first so many, on a bench.
  func bench(_ count: Int = 2, _ measuring: Measuring = Measuring(split: .test)) throws -> Bench {
    try Bench(Array(networks.prefix(count)), from: Self.source, measuring: measuring)
  }

  /// A run in the folder `run` that trained such a network and kept its predictions.
  func run() throws -> URL {
    let study = try StudyFile.parse(
      """
      dataset: {name: glyphs, size: 8, train: 64, test: 64, noise: 0.4}
      model: {name: mlp, hidden: [8]}
      batch_size: 16
      schedule: {warmup: 1 steps, stable: 5 steps, decay: 2 steps}
      branch: {every: 5 steps}
      predictions: true
      """)
    let folder = try RunFolder(scratch.url("run"), configuration: study.runs[0].configuration)
    defer { folder.close() }
    try folder.perform(RunExecution.run, versions: RunRecord.Versions.current, control: RunControl())
    return folder.url
  }
}

/// What a verb told.
final class Heard: Sendable {
  private let news = Mutex<[News]>([])
  var listener: News.Listener { { heard in self.news.withLock { $0.append(heard) } } }
  var notes: [String] { news.withLock { $0.compactMap { if case .note(let text) = $0 { text } else { nil } } } }
  var stages: Set<String> {
    news.withLock { Set($0.compactMap { if case .progress(let stage, _, _, _) = $0 { stage } else { nil } }) }
  }
}

/// The words in which the workbench refuses something.
func refusal(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "nothing was refused"
  } catch let error as WorkbenchError {
    return error.description
  } catch {
    return "\(type(of: error)): \(error)"
  }
}
