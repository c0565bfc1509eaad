import ArgumentParser
import Foundation
import Torch

/// The options every job takes.
struct RepetitionOptions: ParsableArguments {
  @Option(help: "Threads libtorch may use; default: its own choice.")
  var threads: Int?

  @Option(help: "Repetitions before the measured ones.")
  var warmup = 3

  @Option(help: "Measured repetitions.")
  var repetitions = 10

  func validate() throws {
    guard threads ?? 1 > 0, warmup >= 0, repetitions > 0 else {
      throw ValidationError("--threads and --repetitions must be at least 1, --warmup at least 0")
    }
  }
}

/// What a job measured, and the line it prints.
struct Timing: Encodable {
  var job: String
  /// Of each measured repetition.
  var seconds: [Double]
  /// What to compare `seconds` with, for jobs that measure both sides in one process.
  var reference: [Double]?
  /// Of text, and what it became.
  var bytes: Int?
  var tokens: Int?
  /// What both sides have to agree on.
  var objective: Double?

  func report() throws {
    print(String(decoding: try JSONEncoder().encode(self), as: UTF8.self))
  }

  /// Runs `work` as the options say.
  static func measure(_ job: String, _ options: RepetitionOptions, _ work: () throws -> Void) throws -> Timing {
    // As `valley` does in every process that trains.
    Libtorch.keepFreedMemory()
    if let threads = options.threads { Libtorch.setThreads(threads) }
    for _ in 0..<options.warmup { try work() }
    return Timing(job: job, seconds: try (0..<options.repetitions).map { _ in try seconds(work) })
  }

  /// The time `work` takes.
  static func seconds(_ work: () throws -> Void) rethrows -> Double {
    let passed = try ContinuousClock().measure(work).components
    return Double(passed.seconds) + Double(passed.attoseconds) * 1e-18
  }
}
