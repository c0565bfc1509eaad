import Checkpoints
import Foundation
import Support
import Synchronization

/// Pictures that are decoded once into a file, which later runs map into memory.
///
/// The file `<dataset>-<split>-<paths>.pictures` holds the pixels of one picture after the other, then an entry of 64
/// bytes for each (offset, height, width, sums, squares), then a trailer with a fingerprint of the source: paths, sizes
/// and modification times. It is written under another name and renamed, so it is either complete or missing. When the
/// source has changed, it is made again. If several processes want the same file at once, one makes it and the others
/// wait. The folder can be deleted at any time when no training is running.
enum PictureCache {
  /// The usual folder. Tests use their own.
  @TaskLocal static var usualFolder = KnownDataset.usualFolder.appendingPathComponent("cache")

  /// The pictures of a listing, from the cache or decoded into it.
  ///
  /// - Parameters:
  ///   - threads: how many threads decode
  ///   - progress: called now and then with the number of pictures decoded; not at all if they are in the cache
  /// - Throws: `DatasetError` naming the first file that is not a picture, or a lack of space.
  static func open(
    _ listing: PictureListing, in folder: URL = usualFolder, threads: Int,
    progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws -> PictureStore {
    let (place, content) = try fingerprints(of: listing)
    let path = folder.appendingPathComponent("\(listing.name)-\(listing.split)-\(place.prefix(16)).pictures").path
    if let store = read(path, content: content, listing) { return store }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw DatasetError(
        file: folder.path, "cannot be made: \(error.localizedDescription)",
        remedy: "set VALLEY_DATA to a folder that can")
    }
    // The lock ends with the process, however the process ends.
    let lock = Foundation.open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard lock >= 0, flock(lock, LOCK_EX) == 0 else {
      throw DatasetError(
        file: path + ".lock", "cannot be locked: \(String(cString: strerror(errno)))",
        remedy: "set VALLEY_DATA to a folder on a file system that has locks")
    }
    defer { close(lock) }
    // Another process may have made it in the meantime.
    if let store = read(path, content: content, listing) { return store }
    removeLeftovers(of: path)
    do {
      try write(listing, to: path, content: content, threads: threads, progress: progress)
    } catch let error as FileError {
      throw DatasetError(file: error.path, error.message, remedy: "free some space, or set VALLEY_DATA")
    }
    guard let store = read(path, content: content, listing) else {
      throw DatasetError(file: path, "cannot be mapped into memory", remedy: "set VALLEY_DATA to a local folder")
    }
    return store
  }

  // MARK: Fingerprints

  /// Digests of which pictures there are, in hexadecimal, and of their files' sizes and modification times.
  private static func fingerprints(of listing: PictureListing) throws -> (place: String, content: [UInt8]) {
    let (place, content) = (Digest(), Digest())
    place.update(Data(listing.root.standardizedFileURL.path.utf8))
    var last = ""
    for entry in listing.entries {
      let path = Data((entry.path + "\0" + (entry.range.map { "\($0)" } ?? "") + "\0").utf8)
      place.update(path)
      content.update(path)
      guard entry.path != last else { continue }
      last = entry.path
      let file = listing.root.appendingPathComponent(entry.path).path
      guard let stamp = FileStamp(file) else {
        throw DatasetError(
          file: file, "cannot be found: \(systemMessage())",
          remedy: "a list of \(listing.name)'s pictures names it; get the files again")
      }
      content.update(Data("\(stamp.size) \(stamp.seconds) \(stamp.nanoseconds)\0".utf8))
    }
    return (place.finish().hexadecimal, content.finish())
  }

  // MARK: The file

  private static let magic = Array("VALLEY pictures 1".utf8)
  private static let entrySize = 64
  /// The magic (24 bytes), the content's fingerprint (32), the entries' digest (32), and their count and offset (8
  /// each).
  private static let trailerSize = 24 + 32 + 32 + 16

  /// The cache at `path`; nil if there is none, it is from another source, or it is damaged.
  private static func read(_ path: String, content: [UInt8], _ listing: PictureListing) -> PictureStore? {
    guard let memory = (try? MappedFile(path)).map({ PictureMemory($0) }) else { return nil }
    let bytes = memory.bytes
    let count = listing.entries.count
    guard bytes.count >= trailerSize + count * entrySize else { return nil }
    let trailer = bytes.count - trailerSize
    let table = trailer - count * entrySize
    func number(_ position: Int) -> Int {
      Int(truncatingIfNeeded: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)))
    }
    guard bytes[trailer...].starts(with: magic), bytes[(trailer + 24)...].starts(with: content),
      number(trailer + 88) == count, number(trailer + 96) == table,
      bytes[(trailer + 56)...].starts(with: Digest.sha256(Data(bytes[table..<trailer])))
    else { return nil }
    var entries: [PictureStore.Entry] = []
    entries.reserveCapacity(count)
    for start in stride(from: table, to: trailer, by: entrySize) {
      let numbers = (0..<8).map { number(start + 8 * $0) }
      let (height, width) = (numbers[1] & 0xFFFF_FFFF, numbers[1] >> 32)
      guard (1...DecodedPicture.mostPixels).contains(height), (1...DecodedPicture.mostPixels).contains(width),
        numbers[0] >= 0, numbers[0] <= table, height * width * 3 <= table - numbers[0]
      else { return nil }
      entries.append(
        .init(
          offset: numbers[0], height: height, width: width, sums: Array(numbers[2..<5]), squares: Array(numbers[5..<8]))
      )
    }
    return PictureStore(
      name: listing.name, split: listing.split, classNames: listing.classNames, channels: 3,
      labels: listing.entries.map(\.label), entries: entries, memory: memory)
  }

  private static func write(
    _ listing: PictureListing, to path: String, content: [UInt8], threads: Int, progress: (Int, Int) -> Void
  ) throws {
    let file = try AtomicFile(path)
    var table: [UInt8] = []
    var offset = 0
    func append(_ number: Int) { withUnsafeBytes(of: UInt64(number).littleEndian) { table += $0 } }
    // While one part is being decoded, the part before it is written.
    let partSize = 32 * max(1, threads)
    var finished: [DecodedPicture] = []
    for start in stride(from: 0, through: listing.entries.count + partSize - 1, by: partSize) {
      let part = Array(start..<max(start, min(start + partSize, listing.entries.count)))
      let decoded = Mutex([(picture: DecodedPicture, sums: [Int])?](repeating: nil, count: part.count))
      let previous = finished
      nonisolated(unsafe) let output = file
      try inParallel(part.count + 1, threads: threads, worker: PictureReader.init) { reader, index in
        guard index > 0 else {
          for picture in previous { try picture.pixels.withUnsafeBytes { try output.write($0) } }
          return
        }
        let picture = try reader.read(listing.entries[part[index - 1]], in: listing.root)
        let sums = picture.channelSums()
        decoded.withLock { $0[index - 1] = (picture, sums) }
      }
      let results = decoded.withLock { $0.compactMap { $0 } }
      finished = results.map(\.picture)
      for (picture, sums) in results {
        append(offset)
        append(picture.height | picture.width << 32)
        sums.forEach(append)
        offset += picture.pixels.count
      }
      if !part.isEmpty { progress(part.count + start, listing.entries.count) }
      if start == 0 { try checkSpace(for: offset / max(1, part.count) * listing.entries.count, at: path) }
    }
    let digest = Digest.sha256(table)
    try table.withUnsafeBytes { try file.write($0) }
    table = magic + [UInt8](repeating: 0, count: 24 - magic.count) + content + digest
    append(listing.entries.count)
    append(offset)
    try table.withUnsafeBytes { try file.write($0) }
    try file.commit()
  }

  private static func checkSpace(for bytes: Int, at path: String) throws {
    let folder = (path as NSString).deletingLastPathComponent
    let free = (try? FileManager.default.attributesOfFileSystem(forPath: folder))?[.systemFreeSize] as? NSNumber
    guard let free, free.intValue < bytes else { return }
    throw DatasetError(
      file: path,
      "the decoded pictures take about \(bytes / 1_000_000) MB, and \(free.intValue / 1_000_000) MB are free",
      remedy: "free some space, set VALLEY_DATA to a place that has it, or use fewer pictures")
  }

  /// Removes what a process left behind when it was killed while writing this cache. Only the holder of the lock may
  /// call this.
  private static func removeLeftovers(of path: String) {
    let url = URL(fileURLWithPath: path)
    let folder = url.deletingLastPathComponent()
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    where name.hasPrefix("." + url.lastPathComponent) && name.hasSuffix(".tmp") {
      unlink(folder.appendingPathComponent(name).path)
    }
  }
}

/// Reads and decodes pictures, on one thread at a time.
final class PictureReader {
  /// The most bytes that an encoded picture may have.
  private static let largestFile = 512 << 20
  private let decoder = PictureDecoder()

  func read(_ entry: PictureListing.Entry, in root: URL) throws -> DecodedPicture {
    let file = root.appendingPathComponent(entry.path).path
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw DatasetError(file: file, "cannot be read: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var status = stat()
    fstat(descriptor, &status)
    let range = entry.range ?? 0..<Int(status.st_size)
    guard range.upperBound <= Int(status.st_size), range.count <= Self.largestFile else {
      throw DatasetError(
        file: file, "has \(status.st_size) bytes where a picture was expected in bytes \(range)", remedy: "get it again"
      )
    }
    // Plain system calls, because Foundation's take longer than decoding a small picture.
    var bytes = [UInt8](repeating: 0, count: range.count)
    var filled = 0
    while filled < range.count {
      let count = bytes.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress?.advanced(by: filled), range.count - filled, off_t(range.lowerBound + filled))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        throw DatasetError(
          file: file, byte: range.lowerBound + filled,
          count < 0 ? "cannot be read: \(String(cString: strerror(errno)))" : "the file ends too soon")
      }
      filled += count
    }
    return try decoder.decode(bytes, file: file)
  }
}

extension DecodedPicture {
  /// The sums of the three channels' bytes, then of their squares.
  fileprivate func channelSums() -> [Int] {
    pixels.withUnsafeBufferPointer { pixels in
      // 32 bits can hold the sum of the squares of 65,536 pixels.
      var total = [Int](repeating: 0, count: 6)
      for start in stride(from: 0, to: pixels.count, by: 3 * 65_536) {
        var (r, g, b, rr, gg, bb): (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0, 0)
        var place = start
        let end = min(start + 3 * 65_536, pixels.count)
        while place < end {
          let (x, y, z) = (UInt32(pixels[place]), UInt32(pixels[place + 1]), UInt32(pixels[place + 2]))
          (r, g, b) = (r &+ x, g &+ y, b &+ z)
          (rr, gg, bb) = (rr &+ x &* x, gg &+ y &* y, bb &+ z &* z)
          place += 3
        }
        for (index, value) in [r, g, b, rr, gg, bb].enumerated() { total[index] += Int(value) }
      }
      return total
    }
  }
}
