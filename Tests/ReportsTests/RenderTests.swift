import Foundation
import Testing

@testable import Reports
@testable import Studies

/// A folder that is removed with its contents when the test is over.
final class TemporaryFolder {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("valley-report-\(UUID().uuidString)")
  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }
}

@Suite struct LookTests {
  @Test(.enabled(if: ProcessInfo.processInfo.environment["VALLEY_LOOK"] != nil))
  func look() throws {
    let out = URL(fileURLWithPath: ProcessInfo.processInfo.environment["VALLEY_LOOK"] ?? "")
    var synthetic = Synthetic()
    try Report(synthetic.results()).write(to: out.appendingPathComponent("full"))
    synthetic.batchSizes = [64]
    synthetic.seeds = [0]
    synthetic.noise = false
    synthetic.diverges = false
    try Report(synthetic.results()).write(to: out.appendingPathComponent("lr-one-seed"))
    synthetic = Synthetic()
    synthetic.other = ("augmentation", ["none", "flip", "flip and crop"])
    try Report(synthetic.results()).write(to: out.appendingPathComponent("words"))
    synthetic = Synthetic()
    synthetic.other = ("optimizer.weight_decay", ["0", "0.0001", "0.0005", "0.001"])
    try Report(synthetic.results()).write(to: out.appendingPathComponent("decay"))
    synthetic = Synthetic()
    synthetic.learningRates = [0.1]
    synthetic.batchSizes = [64]
    synthetic.seeds = [0, 1]
    synthetic.epochs = [10]
    synthetic.endpoints = 2
    try Report(synthetic.results()).write(to: out.appendingPathComponent("one"))
  }
}
