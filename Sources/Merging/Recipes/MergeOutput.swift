import Checkpoints
import Foundation
import MergeKernels
import Support
import Torch

extension MergePlan {
  /// How a plan is carried out.
  public struct Options: Sendable {
    public var threads = ProcessInfo.processInfo.activeProcessorCount
    /// Bytes of tensors that a file holds at most, unless one tensor alone is larger.
    public var shardSize = 5_000_000_000
    /// Read the result again and compare it with what was computed, and list the SHA-256 of every file in the card.
    public var verifies = false
    /// Replace what is there.
    public var replaces = false
    /// What a single file's header says besides `format`.
    public var metadata: [String: String] = [:]

    public init() {}
  }

  /// Carries the plan out. `output` is a folder in Hugging Face's layout, or a single file if it ends in `.safetensors`; it appears when it is
  /// whole, or not at all.
  ///
  /// - Parameters:
  ///   - progress: told the bytes written so far
  ///   - isCancelled: asked now and then; true ends the merge with `CancellationError`
  /// - Throws: `CheckpointError` for files that cannot be read or written, `MergeError` for elements that would not be finite.
  public func write(
    to output: String, options: Options = Options(), progress: @escaping @Sendable (Int) -> Void = { _ in },
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws {
    let target = MergeTarget(output)
    try target.check(room: byteCount, replaces: options.replaces)
    try target.write { temporary in
      let shards = target.isFile ? [tensors] : shards(options.shardSize)
      let files = shards.indices.map { target.isFile ? "" : name(of: $0, among: shards.count) }
      let metadata = ["format": "pt"].merging(target.isFile ? options.metadata : [:]) { $1 }
      let open = try zip(files, shards).map { file, tensors in
        try TensorWriter(target.isFile ? temporary : temporary + "/" + file, tensors: tensors, metadata: metadata)
      }
      let places = zip(open, shards).flatMap { writer, tensors in tensors.map { ($0.name, writer) } }
      let writers = Dictionary(places, uniquingKeysWith: { $1 })
      let engine = MergeEngine(
        tensors, writers: writers, sumsUp: options.verifies, progress: progress, isCancelled: isCancelled)
      let checksums = try engine.run(threads: options.threads)
      if !target.isFile {
        if files.count > 1 { try writeIndex(Array(zip(files, shards)), to: temporary) }
        try ModelFolder(self).complete(temporary, files: files, listsChecksums: options.verifies)
      }
      if options.verifies {
        for writer in open { try writer.flush() }
        try verify(temporary, target, checksums)
      }
      if isCancelled() { throw CancellationError() }
    }
  }

  /// What can be known beforehand: whether the result may be written there, and whether the disk has room.
  ///
  /// - Throws: `CheckpointError` saying what is in the way.
  public func check(output: String, replaces: Bool) throws {
    try MergeTarget(output).check(room: byteCount, replaces: replaces)
  }

  private func shards(_ limit: Int) -> [[PlannedTensor]] {
    var shards: [[PlannedTensor]] = [[]]
    var size = 0
    for tensor in tensors {
      if size > 0, size + tensor.byteCount > limit {
        shards.append([])
        size = 0
      }
      shards[shards.count - 1].append(tensor)
      size += tensor.byteCount
    }
    return shards
  }

  private func name(of shard: Int, among count: Int) -> String {
    count == 1 ? ModelFolder.single : String(format: "model-%05d-of-%05d.safetensors", shard + 1, count)
  }

  private func writeIndex(_ files: [(String, [PlannedTensor])], to folder: String) throws {
    struct Index: Encodable {
      struct Metadata: Encodable { let total_size: Int }
      let metadata: Metadata
      let weight_map: [String: String]
    }
    let pairs = files.flatMap { file, tensors in tensors.map { ($0.name, file) } }
    let index = Index(
      metadata: .init(total_size: byteCount), weight_map: Dictionary(pairs, uniquingKeysWith: { $1 }))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let data = try encoder.encode(index)
    try writeAtomically(data + Data("\n".utf8), to: folder + "/" + ModelFolder.index)
  }

  /// Reads the result as any other model and compares every tensor with what was to be written.
  private func verify(_ path: String, _ target: MergeTarget, _ checksums: [String: UInt64]) throws {
    let found = try Checkpoint.read(path).weights
    guard found.count == tensors.count else {
      throw CheckpointError(target.path, "has \(found.count) tensors when read again, not \(tensors.count)")
    }
    for planned in tensors {
      guard let tensor = found[planned.name], tensor.shape == planned.shape, tensor.dtype == planned.dtype else {
        throw CheckpointError(target.path, "\(planned.name): is missing or of another shape when read again")
      }
      let sum = try tensor.withUnsafeBytes { bytes in
        bytes.baseAddress.map { vm_checksum($0, bytes.count, 0) } ?? 0
      }
      guard sum == checksums[planned.name] ?? 0 else {
        throw CheckpointError(
          target.path, "\(planned.name): is not what was written when read again; is the disk sound?")
      }
    }
  }
}

/// Where a merge goes: built under a temporary name in the same folder, and renamed when it is whole.
struct MergeTarget {
  let path: String
  let isFile: Bool

  init(_ path: String) {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
    isFile = path.hasSuffix(".safetensors")
  }

  private var url: URL { URL(fileURLWithPath: path) }
  private var parent: String { url.deletingLastPathComponent().path }

  /// - Throws: `CheckpointError` where the result could not be written, as far as that is known beforehand.
  func check(room bytes: Int, replaces: Bool) throws {
    let manager = FileManager.default
    var isDirectory: ObjCBool = false
    guard manager.fileExists(atPath: parent, isDirectory: &isDirectory), isDirectory.boolValue else {
      throw CheckpointError(path, "cannot be written: the folder \(parent) does not exist")
    }
    guard access(parent, W_OK) == 0 else {
      let reason = errno == EROFS ? "a read-only file system has" : "no permission to write in"
      throw CheckpointError(path, "cannot be written: \(reason) \(parent)")
    }
    if manager.fileExists(atPath: path, isDirectory: &isDirectory) {
      guard replaces else { throw CheckpointError(path, "exists; add --force to replace it") }
      // A folder that is no merge's output may be anybody's.
      let marks = [
        "config.json", "recipe.yml", "adapter_config.json", ModelFolder.single, ModelFolder.index,
      ]
      let isModel = marks.contains { manager.fileExists(atPath: path + "/" + $0) }
      let isEmpty = (try? manager.contentsOfDirectory(atPath: path))?.isEmpty ?? false
      guard isFile ? !isDirectory.boolValue : isDirectory.boolValue && (isModel || isEmpty) else {
        throw CheckpointError(path, "exists and is no merged model; it is not replaced")
      }
    }
    let attributes = try? manager.attributesOfFileSystem(forPath: parent)
    if let free = (attributes?[.systemFreeSize] as? NSNumber)?.intValue, free < bytes {
      throw CheckpointError(
        path, "takes \(byteText(bytes)), and the disk has \(byteText(free)) left")
    }
  }

  /// Lets `body` build the result at a temporary path and puts it in place; without a trace if it fails.
  func write(_ body: (_ temporary: String) throws -> Void) throws {
    let manager = FileManager.default
    let stem = ".\(url.lastPathComponent)."
    removeLeftovers(stem)
    let temporary = parent + "/\(stem)\(ProcessInfo.processInfo.processIdentifier).tmp"
    do {
      if !isFile { try manager.createDirectory(atPath: temporary, withIntermediateDirectories: false) }
      try body(temporary)
      if isFile || !manager.fileExists(atPath: path) {
        try rename(temporary, to: path)
      } else {
        let old = temporary + ".old"
        try rename(path, to: old)
        do {
          try rename(temporary, to: path)
        } catch {
          try? rename(old, to: path)
          throw error
        }
        try? manager.removeItem(atPath: old)
      }
    } catch {
      try? manager.removeItem(atPath: temporary)
      guard let error = error as? CheckpointError, error.path.hasPrefix(temporary) else { throw error }
      // By the name that it would have had.
      throw CheckpointError(path + error.path.dropFirst(temporary.count), error.message)
    }
  }

  private func rename(_ from: String, to: String) throws {
    guard Foundation.rename(from, to) == 0 else {
      throw CheckpointError(to, "cannot be written: \(String(cString: strerror(errno)))")
    }
  }

  /// What merges to the same place left that were killed.
  private func removeLeftovers(_ stem: String) {
    let manager = FileManager.default
    for name in (try? manager.contentsOfDirectory(atPath: parent)) ?? [] where name.hasPrefix(stem) {
      let isReplaced = name.hasSuffix(".tmp.old")
      let middle = name.dropFirst(stem.count)
      guard isReplaced || middle.hasSuffix(".tmp"), let owner = Int32(middle.dropLast(isReplaced ? 8 : 4)),
        kill(owner, 0) != 0, errno == ESRCH
      else { continue }
      // Between two renames there is only what was to be replaced.
      if isReplaced, !manager.fileExists(atPath: path) {
        try? rename(parent + "/" + name, to: path)
      } else {
        try? manager.removeItem(atPath: parent + "/" + name)
      }
    }
  }
}

/// Bytes for people: `2.2 GB`.
public func byteText(_ bytes: Int) -> String {
  let units = ["bytes", "kB", "MB", "GB", "TB"]
  var (value, unit) = (Double(bytes), 0)
  while value >= 1000, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
  return unit == 0 ? "\(bytes) bytes" : String(format: "%.1f %@", value, units[unit])
}
