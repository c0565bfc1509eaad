import Foundation
import Support
import TestSupport

@testable import Datasets

typealias Scratch = TestSupport.Scratch

extension Scratch {
  @discardableResult func write(_ bytes: [UInt8], to name: String) throws -> URL {
    let file = folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: file)
    return file
  }

  /// Runs a program in the folder and waits for it.
  func shell(_ command: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command]
    process.currentDirectoryURL = folder
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw DatasetError("`\(command)` failed") }
  }

  /// The description of the `DatasetError` that `body` throws, or what else happened.
  static func failure(_ body: () throws -> some Any) -> String {
    TestSupport.failure(of: DatasetError.self, body)
  }
}

/// Random bytes.
func randomBytes(_ count: Int, seed: UInt64, below bound: Int = 256) -> [UInt8] {
  var random = SplitMix64(seed)
  return (0..<count).map { _ in UInt8(random.below(bound)) }
}

/// A copy with up to eight bytes changed, which is sometimes cut short or lengthened.
func mutated(_ bytes: [UInt8], seed: UInt64) -> [UInt8] {
  var random = SplitMix64(0xF022, seed)
  var result = bytes
  for _ in 0..<random.below(9) where !result.isEmpty {
    // Half of the changes near the front, where headers are.
    let reach = random.below(2) == 0 ? min(32, result.count) : result.count
    result[random.below(reach)] = UInt8(random.below(256))
  }
  switch random.below(4) {
  case 0: result.removeLast(random.below(result.count + 1))
  case 1: result += randomBytes(random.below(5000), seed: seed)
  default: break
  }
  return result
}
