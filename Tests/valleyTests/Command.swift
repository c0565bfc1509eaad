import Foundation
import Testing

/// The tests that drive the built `valley` from outside, one at a time, since each is a process with work of its own.
@Suite(.serialized) struct EndToEnd {}

/// The built `valley`, which lies beside the test bundle.
struct Command {
  struct Outcome {
    var code: Int32
    var out: String
    var err: String
  }

  let process = Process()
  private let scratch = Scratch()

  static let executable: URL = {
    let places = [
      Bundle.main.executableURL, Bundle(for: Anchor.self).bundleURL, URL(fileURLWithPath: CommandLine.arguments[0]),
    ]
    let folders = places.compactMap { $0?.resolvingSymlinksInPath().deletingLastPathComponent() }
    let found = folders.map { $0.appendingPathComponent("valley") }.first {
      FileManager.default.isExecutableFile(atPath: $0.path)
    }
    return found ?? URL(fileURLWithPath: "valley")
  }()

  private final class Anchor {}

  /// Starts `valley` with these arguments, or another program.
  init(_ arguments: [String], program: URL = executable, environment: [String: String] = [:]) throws {
    process.executableURL = program
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    // Files, since a pipe that nobody reads fills up.
    for name in ["out", "err"] { try Data().write(to: scratch.url(name)) }
    process.standardOutput = try FileHandle(forWritingTo: scratch.url("out"))
    process.standardError = try FileHandle(forWritingTo: scratch.url("err"))
    try process.run()
  }

  static func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
    try run(arguments, environment: environment)
  }

  static func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
    try Command(arguments, environment: environment).outcome()
  }

  var errors: String { (try? String(contentsOf: scratch.url("err"), encoding: .utf8)) ?? "" }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Waits until `condition` holds or the process has ended; false after a minute.
  @discardableResult
  func wait(for condition: () -> Bool) -> Bool {
    let end = Date() + 60
    while process.isRunning, Date() < end {
      if condition() { return true }
      usleep(500)
    }
    return condition()
  }

  func outcome() throws -> Outcome {
    process.waitUntilExit()
    // A process ended by a signal counts as shells count it.
    let code = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    return Outcome(code: code, out: try String(contentsOf: scratch.url("out"), encoding: .utf8), err: errors)
  }
}

/// A folder that goes with the value.
final class Scratch {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("valley-tests-\(UUID().uuidString)")
  init() { try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: folder) }

  func url(_ name: String) -> URL { folder.appendingPathComponent(name) }
  func path(_ name: String) -> String { url(name).path }
  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
  func write(_ text: String, _ name: String) throws -> String {
    try Data(text.utf8).write(to: url(name))
    return path(name)
  }

  func size(_ name: String) -> Int {
    ((try? FileManager.default.attributesOfItem(atPath: path(name)))?[.size] as? NSNumber)?.intValue ?? 0
  }

  /// Everything in here, hidden files included.
  var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
  }

  /// Cuts a file in half.
  func halve(_ name: String) throws {
    let data = try Data(contentsOf: url(name))
    try data.prefix(data.count / 2).write(to: url(name))
  }

  /// What a run must end with to the byte: rows, kept checkpoints and predictions, by name.
  func results(_ run: String) throws -> [String: Data] {
    var names = ["metrics.jsonl", "results.jsonl"]
    for folder in ["checkpoints", "predictions"] where exists("\(run)/\(folder)") {
      names += try FileManager.default.contentsOfDirectory(atPath: path("\(run)/\(folder)")).map { "\(folder)/\($0)" }
    }
    return try Dictionary(
      uniqueKeysWithValues: names.map { ($0, try Data(contentsOf: url(run + "/" + $0))) })
  }
}

extension Command {
  /// What a command printed with `--json`.
  static func json(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }
}

/// A run of a fraction of a second: a small MLP on small glyphs.
enum Tiny {
  static let data = ["dataset.size=8", "dataset.train=64", "dataset.test=64", "dataset.noise=0.4"]
  static let lengths = [
    "schedule={warmup: 1, stable: 19, decay: 4}", "branch.every=10", "checkpoints.every=7 steps",
    "measure.noise={every: 10 steps, microbatches: 2}",
  ]

  static func options(_ settings: [String]) -> [String] { settings.flatMap { ["--set", $0] } }

  /// The arguments of `valley train` for a run in `folder`.
  static func train(_ folder: String, _ settings: String...) -> [String] {
    ["train", "--model", "mlp", "--set", "model.hidden=[8]", "--batch-size", "16", "--lr", "0.05", "--threads", "1"]
      + options(data + lengths + settings) + ["-o", folder]
  }

  /// Trains that run and gives the paths of its endpoints: two of one branch point, one of another.
  static func endpoints(_ scratch: Scratch) throws -> [String] {
    let train = try Command.run(train(scratch.path("run")))
    #expect(train.code == 0, "\(train.err)")
    return [(40, 0), (40, 1), (80, 0)].map { scratch.path("run/checkpoints/endpoint-\($0)-\($1).safetensors") }
  }

  static let study = """
    name: smoke
    dataset: {name: glyphs, size: 8, train: 64, test: 64, noise: 0.4}
    model: {name: mlp, hidden: [8]}
    batch_size: 16
    schedule: {warmup: 1, stable: 9, decay: 2}
    branch: {every: 5}
    sweep: {grid: {optimizer.lr: [0.02, 0.1]}}

    """
}
