import Checkpoints
import Crypto
import Foundation
import Landscape
import Studies
import Torch

/// Points that were measured, a row each in `points.jsonl`, so that a measurement that was stopped, at whatever moment, goes on.
final class MeasuredPoints {
  private struct Row: Codable {
    /// What all points have in common: network, data, BatchNorm.
    var setting: String?
    var key: String?
    var measure: PointMeasure?
  }

  private let rows: RowFile?
  private let lock: FolderLock?
  private var known: [String: PointMeasure] = [:]
  /// Points found in the file that were asked for again.
  private(set) var reused = 0

  /// - Parameters:
  ///   - folder: where the file is; nil keeps nothing
  ///   - setting: what decides a point's measures beside its weights; points of another setting are dropped
  /// - Throws: `FolderLock.Held` when another process measures into the folder.
  init(_ folder: URL?, setting: String) throws {
    guard let folder else {
      (rows, lock) = (nil, nil)
      return
    }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    lock = try FolderLock(folder)
    AtomicFile.removeLeftovers(in: folder.path)
    let file = folder.appendingPathComponent("points.jsonl")
    rows = try RowFile(file)
    let found = try RowFile.rows(Row.self, in: file)
    if found.first?.setting == setting {
      for row in found { if let key = row.key, let measure = row.measure { known[key] = measure } }
      return
    }
    if !found.isEmpty {
      Terminal.writeError("\(file.path) holds points of another network, data or BatchNorm policy; measuring anew\n")
      try rows?.truncate(to: 0)
    }
    try rows?.append(Row(setting: setting))
  }

  deinit { lock?.release() }

  /// What was measured under `key`, or else what `measure` finds, which is kept.
  func callAsFunction(_ key: String, _ measure: () throws -> PointMeasure) throws -> PointMeasure {
    if let found = known[key] {
      reused += 1
      return found
    }
    let result = try measure()
    known[key] = result
    try rows?.append(Row(key: key, measure: result))
    return result
  }
}

extension Weights {
  /// 12 hexadecimal digits of the SHA-256 over names, shapes and elements.
  func fingerprint() throws -> String {
    var hash = SHA256()
    for (name, tensor) in zip(names, tensors) {
      hash.update(data: Data("\(name) \(tensor.shape) \(tensor.dtype)\n".utf8))
      try tensor.detach().to(.cpu).contiguous().withUnsafeBytes { hash.update(bufferPointer: $0) }
    }
    return hash.finalize().prefix(6).map { String(format: "%02x", $0) }.joined()
  }
}

/// 12 hexadecimal digits of the SHA-256 of a value's JSON.
func fingerprint(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = .sortedKeys
  return SHA256.hash(data: try encoder.encode(value)).prefix(6).map { String(format: "%02x", $0) }.joined()
}
