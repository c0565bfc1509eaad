import Checkpoints
import Foundation
import Landscape
import Support
import Torch
import Weights

/// What was measured, one row each in `points.jsonl`, so that a measurement interrupted at any moment can continue.
///
/// Products of an operator are kept beside it until the measurement that needs them is done.
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
  private let report: News.Listener
  private let rows: RowFile?
  private let lock: FolderLock?
  /// Lines of the file by key.
  private var lines: [String: Data] = [:]
  private var found: [String: Any] = [:]

  /// - Parameters:
  ///   - folder: where the file is; nil keeps nothing
  ///   - setting: what measurements depend on besides weights; those of another setting are dropped
  /// - Throws: `FolderLock.Held` when another process measures into the folder.
  init(_ folder: URL?, setting: String, report: @escaping News.Listener) throws {
    (self.folder, self.report) = (folder, report)
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
      report(
        .note("\(file.path) holds points of another network, data or BatchNorm policy; they are measured again"))
      try rows?.truncate(to: 0)
    }
    try rows?.append(Head(setting: setting))
  }

  deinit { lock?.release() }

  /// What was measured under `key`, or else what `measure` returns, which is kept.
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

  /// The same for a measurement that takes many products with an operator: `measure` gets one whose products are kept
  /// in a file until it is done.
  func callAsFunction<Measure: Codable>(
    _ key: String, of operation: any SymmetricOperator, _ measure: (any SymmetricOperator) throws -> Measure
  ) throws -> Measure {
    guard let folder else { return try self(key) { try measure(operation) } }
    let file = folder.appendingPathComponent(try "products-\(fingerprint(key)).bin")
    let result = try self(key) {
      Self.removeProducts(in: folder, but: file)
      let recorded = try RecordedOperator(operation, in: file)
      defer { recorded.problem.map { report(.note("products were not kept: \($0)")) } }
      return try measure(recorded)
    }
    Self.removeProducts(in: folder)
    return result
  }

  /// Also what another measurement left that was interrupted and never continued.
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
    for (name, tensor) in self {
      hash.update(Data("\(name) \(tensor.shape) \(tensor.dtype)\n".utf8))
      try tensor.detach().to(.cpu).contiguous().withUnsafeBytes { hash.update($0) }
    }
    return hash.finish().prefix(6).hexadecimal
  }
}

/// 12 hexadecimal digits of the SHA-256 of a value's JSON.
func fingerprint(_ value: some Encodable) throws -> String {
  Digest.sha256(Data(try jsonText(value).utf8)).prefix(6).hexadecimal
}
