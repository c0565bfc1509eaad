import Checkpoints
import Foundation
import Landscape
import Studies
import Support
import Torch
import Weights

/// What was measured, a row each in `points.jsonl`, so that a measurement that was stopped, at whatever moment, goes on.
final class MeasureStore {
  private struct Head: Codable {
    /// What all rows have in common: network, data, BatchNorm.
    var setting: String?
    var key: String?
  }

  private struct Row<Measure: Codable>: Codable {
    var key: String
    var measure: Measure
  }

  private let folder: URL?
  private let rows: RowFile?
  private let lock: FolderLock?
  /// Lines of the file by key.
  private var lines: [String: Data] = [:]
  private var found: [String: Any] = [:]

  /// - Parameters:
  ///   - folder: where the file is; nil keeps nothing
  ///   - setting: what decides measures beside weights; those of another setting are dropped
  /// - Throws: `FolderLock.Held` when another process measures into the folder.
  init(_ folder: URL?, setting: String) throws {
    self.folder = folder
    guard let folder else {
      (rows, lock) = (nil, nil)
      return
    }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    lock = try FolderLock(folder)
    AtomicFile.removeLeftovers(in: folder.path)
    let file = folder.appendingPathComponent("points.jsonl")
    rows = try RowFile(file)
    var lines: [Data] = []
    let heads = try RowFile.rows(Head.self, in: file) { line in
      lines.append(line)
      return true
    }
    if heads.first?.setting == setting {
      for (head, line) in zip(heads, lines) { if let key = head.key { self.lines[key] = line } }
      return
    }
    if !heads.isEmpty {
      Terminal.writeError("\(file.path) holds points of another network, data or BatchNorm policy; measuring anew\n")
      try rows?.truncate(to: 0)
    }
    try rows?.append(Head(setting: setting))
  }

  deinit { lock?.release() }

  /// What was measured under `key`, or else what `measure` finds, which is kept.
  func callAsFunction<Measure: Codable>(_ key: String, _ measure: () throws -> Measure) throws -> Measure {
    if let known = found[key] as? Measure { return known }
    if let line = lines[key], let row = try? RowFile.makeDecoder().decode(Row<Measure>.self, from: line) {
      return row.measure
    }
    let result = try measure()
    found[key] = result
    try rows?.append(Row(key: key, measure: result))
    return result
  }

  /// The same of what takes many products with an operator: `measure` is given one whose products are kept in a file until it is done.
  func callAsFunction<Measure: Codable>(
    _ key: String, of operation: any SymmetricOperator, _ measure: (any SymmetricOperator) throws -> Measure
  ) throws -> Measure {
    guard let folder else { return try self(key) { try measure(operation) } }
    let file = folder.appendingPathComponent(try "products-\(fingerprint(key)).bin")
    let result = try self(key) {
      Self.removeProducts(in: folder, but: file)
      let recorded = try RecordedOperator(operation, in: file)
      defer { recorded.problem.map { Terminal.writeError("products were not kept: \($0)\n") } }
      return try measure(recorded)
    }
    Self.removeProducts(in: folder)
    return result
  }

  /// What a measurement left that was stopped and then asked for in another way, too.
  private static func removeProducts(in folder: URL, but kept: URL? = nil) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    where name.hasPrefix("products-") && name.hasSuffix(".bin") && name != kept?.lastPathComponent {
      try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
    }
  }
}

extension Weights {
  /// 12 hexadecimal digits of the SHA-256 over names, shapes and elements.
  func fingerprint() throws -> String {
    let hash = Digest()
    for (name, tensor) in zip(names, tensors) {
      hash.update(Data("\(name) \(tensor.shape) \(tensor.dtype)\n".utf8))
      try tensor.detach().to(.cpu).contiguous().withUnsafeBytes { hash.update($0) }
    }
    return hash.finish().prefix(6).hexadecimal
  }
}

/// 12 hexadecimal digits of the SHA-256 of a value's JSON.
func fingerprint(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = .sortedKeys
  return Digest.sha256(try encoder.encode(value)).prefix(6).hexadecimal
}
