import Checkpoints
import Foundation
import MergeKernels
import Support
import Synchronization
import Torch
import Weights

extension MergePlan {
  /// How a plan is carried out.
  public struct Options: Sendable {
    /// How many tensors are merged at once.
    public var threads = ProcessInfo.processInfo.activeProcessorCount
    /// Bytes of tensors that a file holds at most, unless one tensor alone is larger.
    public var shardSize = 5_000_000_000
    /// Read the result again and compare it with what was computed, and list the SHA-256 of every file in the card.
    public var verifies = false
    /// Replace what is there.
    public var replaces = false
    /// What a single file's header says besides `format`.
    public var metadata: [String: String] = [:]

    /// One file or shards of 5 GB, by all processors; nothing is replaced.
    public init() {}
  }

  /// Carries the plan out. `output` is a folder in Hugging Face's layout, or a single file if it ends in
  /// `.safetensors`; it appears when it is whole, or not at all.
  ///
  /// - Parameters:
  ///   - progress: told the bytes written so far
  ///   - isCancelled: asked now and then; true ends the merge with `CancellationError`
  /// - Throws: `FileError` for files that cannot be read or written, `MergeError` for elements that would not be
  ///   finite.
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
      let checksums = try write(to: writers, options, progress, isCancelled)
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

  /// Merges every tensor and writes it where it belongs.
  ///
  /// - Returns: checksums of the tensors' bytes by name, where they are wanted
  private func write(
    to writers: [String: TensorWriter], _ options: Options, _ progress: @escaping @Sendable (Int) -> Void,
    _ isCancelled: @escaping @Sendable () -> Bool
  ) throws -> [String: UInt64] {
    let done = Mutex(0)
    let checksums = Mutex<[String: UInt64]>([:])
    try MergeExecutor.forEach(tensors, threads: options.threads, isCancelled: isCancelled) { executor, tensor in
      guard let writer = writers[tensor.name] else { throw MergeError("\(tensor.name): has no file to go to") }
      var (written, checksum) = (0, UInt64(0))
      try executor.run(tensor) { bytes in
        if options.verifies, let address = bytes.baseAddress {
          checksum &+= vm_checksum(address, bytes.count, UInt64(written))
        }
        try writer.write(bytes, of: tensor.name, at: written)
        written += bytes.count
        done.withLock {
          $0 += bytes.count
          progress($0)
        }
      }
      let sum = checksum
      checksums.withLock { $0[tensor.name] = sum }
    }
    return checksums.withLock { $0 }
  }

  /// Carries the plan out in memory, in the types that a file would have.
  ///
  /// - Throws: `MergeError` for elements that would not be finite.
  public func merged(threads: Int = ProcessInfo.processInfo.activeProcessorCount) throws -> Weights {
    let merged = Mutex<[String: Tensor]>([:])
    try MergeExecutor.forEach(tensors, threads: threads) { executor, planned in
      let tensor = try withoutGradients { try executor.tensor(planned) }
      merged.withLock { $0[planned.name] = tensor }
    }
    return merged.withLock { merged in
      Weights(tensors.compactMap { planned in merged[planned.name].map { (planned.name, $0) } })
    }
  }

  /// Checks what can be known beforehand: whether the result may be written there, and whether the disk has room.
  ///
  /// - Throws: `FileError` saying what is in the way.
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
      throw FileError(target.path, "has \(found.count) tensors when read again, not \(tensors.count)")
    }
    for planned in tensors {
      guard let tensor = found[planned.name], tensor.shape == planned.shape, tensor.dtype == planned.dtype else {
        throw FileError(target.path, "\(planned.name): is missing or of another shape when read again")
      }
      let sum = try tensor.withUnsafeBytes { bytes in
        bytes.baseAddress.map { vm_checksum($0, bytes.count, 0) } ?? 0
      }
      guard sum == checksums[planned.name] ?? 0 else {
        throw FileError(
          target.path, "\(planned.name): is not what was written when read again; is the disk sound?")
      }
    }
  }
}
