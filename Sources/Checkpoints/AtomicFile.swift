import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file that could not be read or written, or whose content is not what it should be.
public struct CheckpointError: Error, CustomStringConvertible, Sendable {
  public let path: String
  public let message: String

  public init(_ path: String, _ message: String) {
    self.path = path
    self.message = message
  }

  public var description: String { path.isEmpty ? message : "\(path): \(message)" }
}

/// A file under construction: it appears under its final name all at once, on stable storage, or not at all.
///
/// The content goes to a temporary file in the same folder, which `commit` flushes and renames. Dropping the value without
/// committing removes the temporary file. One task at a time may use it.
public final class AtomicFile {
  public let destination: String
  private let temporary: String
  private let descriptor: Int32
  private var isOpen = true

  private static let counter = Atomic<UInt64>(0)

  /// Opens the temporary file. The destination's folder must exist.
  public init(_ destination: String) throws {
    self.destination = destination
    let url = URL(fileURLWithPath: destination)
    let serial = AtomicFile.counter.add(1, ordering: .relaxed).newValue
    let temporary = url.deletingLastPathComponent()
      .appendingPathComponent(".\(url.lastPathComponent).\(getpid()).\(serial).tmp").path
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw CheckpointError(destination, "cannot be written: \(String(cString: strerror(errno)))")
    }
    self.temporary = temporary
    self.descriptor = descriptor
  }

  /// Appends bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    guard isOpen else { throw CheckpointError(destination, "is complete; nothing can be added") }
    var rest = bytes
    while !rest.isEmpty {
      // Linux writes at most 2 GiB at once.
      let written = sysWrite(descriptor, rest.baseAddress, min(rest.count, 1 << 30))
      if written < 0 {
        if errno == EINTR { continue }
        throw CheckpointError(destination, "cannot be written: \(String(cString: strerror(errno)))")
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  public func write(_ data: Data) throws { try data.withUnsafeBytes { try write($0) } }

  /// Flushes the content and gives it the final name, replacing what was there.
  public func commit() throws {
    guard isOpen else { throw CheckpointError(destination, "is complete already") }
    guard fsync(descriptor) == 0, rename(temporary, destination) == 0 else {
      throw CheckpointError(destination, "cannot be written: \(String(cString: strerror(errno)))")
    }
    close(descriptor)
    isOpen = false
    // The rename itself must survive a power cut.
    let folder = open(URL(fileURLWithPath: destination).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }

  /// Removes what processes that were killed left half-written in a folder. Only for whoever alone writes there.
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

private func sysWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  #if canImport(Glibc)
    Glibc.write(descriptor, bytes, count)
  #elseif canImport(Musl)
    Musl.write(descriptor, bytes, count)
  #else
    Darwin.write(descriptor, bytes, count)
  #endif
}

/// Writes a whole file so that it appears under its name all at once or not at all.
public func writeAtomically(_ data: Data, to path: String) throws {
  let file = try AtomicFile(path)
  try file.write(data)
  try file.commit()
}
