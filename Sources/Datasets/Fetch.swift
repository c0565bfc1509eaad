import Foundation

extension KnownDataset {
  /// Downloads and unpacks whatever is missing of this dataset.
  ///
  /// - Parameters:
  ///   - folder: where the files go; nil: `usualFolder`
  ///   - mirror: an address that has the files under their own names, to use instead of the publisher's; nil: the
  ///     publisher's
  ///   - progress: called with a file's name, the bytes received and the bytes there will be
  /// - Returns: all files of the dataset, those that were there included.
  /// - Throws: `DatasetError` when the dataset cannot be downloaded, a download fails or a checksum is wrong.
  @discardableResult
  public func fetch(
    to folder: URL? = nil, mirror: String? = nil,
    progress: @escaping @Sendable (_ file: String, _ done: Int, _ total: Int) -> Void = { _, _, _ in }
  ) async throws -> [URL] {
    if let origin { throw DatasetError("\(rawValue) cannot be fetched", remedy: origin) }
    return try await fetch(archives, to: folder ?? usualFolder, mirror: mirror, progress: progress)
  }

  func fetch(
    _ archives: [Archive], to folder: URL, mirror: String?,
    progress: @escaping @Sendable (_ file: String, _ done: Int, _ total: Int) -> Void
  ) async throws -> [URL] {
    var files: [URL] = []
    for archive in archives {
      let name = String(archive.address.split(separator: "/").last ?? "")
      let packed = folder.appendingPathComponent(name)
      let unpacked = archive.folder.map { folder.appendingPathComponent($0) }
      let targets =
        unpacked.map { [$0] }
        ?? (archive.members.isEmpty ? [packed] : archive.members.map { folder.appendingPathComponent($0.name) })
      files += targets
      if targets.allSatisfy({ FileManager.default.fileExists(atPath: $0.path) }) { continue }
      let place = mirror.map { $0.hasSuffix("/") ? $0 + name : $0 + "/" + name } ?? archive.address
      guard let address = URL(string: place) else { throw DatasetError(file: place, "is not an address") }
      // An archive may be left over from an attempt that was stopped while unpacking.
      if (try? Download.checksum(of: packed, like: archive.checksum)) != archive.checksum {
        try await Download.fetch(address, to: packed, checksum: archive.checksum, limit: 2 * archive.bytes) {
          done, total in
          progress(name, done, total ?? archive.bytes)
        }
      }
      if let name = archive.folder, let unpacked {
        try FileBytes.unpackZip(packed, folder: name, to: unpacked)
        try? FileManager.default.removeItem(at: packed)
        continue
      }
      for (member, target) in zip(archive.members, targets) {
        let bytes = try FileBytes.unpackTar(packed, member: member.name, atMost: member.bytes)
        do {
          try FileManager.default.createDirectory(
            at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
          try bytes.write(to: target, options: .atomic)
        } catch {
          throw DatasetError(
            file: target.path, "cannot be written: \(error.localizedDescription)", remedy: "free some space")
        }
      }
      if !archive.members.isEmpty { try? FileManager.default.removeItem(at: packed) }
    }
    return files
  }
}
