import Foundation
import Synchronization

/// A file under construction: it appears under its final name completely, on stable storage, or not at all.
///
/// The content goes to a temporary file in the same folder, which `commit` flushes and renames. Dropping the value
/// without committing removes the temporary file. One task at a time may use it.
public final class AtomicFile {
  /// The final name.
  public let destination: String
  private let temporary: String
  private let descriptor: Int32
  private var isOpen = true

  private static let counter = Atomic<UInt64>(0)

  /// Opens the temporary file. The destination's folder must exist.
  ///
  /// - Throws: `FileError`
  public init(_ destination: String) throws {
    self.destination = destination
    let url = URL(fileURLWithPath: destination)
    let serial = AtomicFile.counter.add(1, ordering: .relaxed).newValue
    temporary =
      url.deletingLastPathComponent().appendingPathComponent(".\(url.lastPathComponent).\(getpid()).\(serial).tmp").path
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      isOpen = false
      throw unwritable(errno)
    }
  }

  private func unwritable(_ code: Int32) -> FileError {
    FileError(destination, "cannot be written: \(systemMessage(code))")
  }

  /// Appends bytes.
  ///
  /// - Throws: `FileError` where the system refuses, or the file is complete already.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    guard isOpen else { throw FileError(destination, "is complete; nothing can be added") }
    let code = writeAll(bytes, to: descriptor)
    guard code == 0 else { throw unwritable(code) }
  }

  /// Appends bytes.
  ///
  /// - Throws: `FileError` where the system refuses, or the file is complete already.
  public func write(_ data: Data) throws { try data.withUnsafeBytes { try write($0) } }

  /// Flushes the content and gives it its final name, replacing any file of that name.
  ///
  /// - Throws: `FileError` where the system refuses, or the file is complete already.
  public func commit() throws {
    guard isOpen else { throw FileError(destination, "is complete already") }
    guard fsync(descriptor) == 0, rename(temporary, destination) == 0 else { throw unwritable(errno) }
    close(descriptor)
    isOpen = false
    // The rename itself must survive a power cut.
    let folder = open(URL(fileURLWithPath: destination).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }

  /// Removes files that killed processes left half-written in a folder. Only a process that alone writes there may call
  /// this.
  public static func removeLeftovers(in folder: String) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    where name.hasPrefix(".") && name.hasSuffix(".tmp") {
      unlink(folder + "/" + name)
    }
  }

  deinit {
    if isOpen {
      close(descriptor)
      unlink(temporary)
    }
  }
}

/// Writes a whole file, which appears under its name completely or not at all.
///
/// - Throws: `FileError`
public func writeAtomically(_ data: Data, to path: String) throws {
  let file = try AtomicFile(path)
  try file.write(data)
  try file.commit()
}
