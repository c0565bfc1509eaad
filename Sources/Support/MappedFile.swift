import Foundation

/// The bytes of a file, mapped into memory, privately and copy-on-write, until the last reference is gone.
public final class MappedFile: @unchecked Sendable {
  /// The file's path.
  public let path: String
  /// The file's content; empty for an empty file.
  public let bytes: UnsafeRawBufferPointer

  /// Maps a file.
  ///
  /// - Throws: `FileError` if it cannot be read or is not a regular file.
  public init(_ path: String) throws {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)  // a pipe without a writer must not block
    guard descriptor >= 0 else { throw FileError(path, "cannot be read: \(systemMessage())") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw FileError(path, "is not a file")
    }
    let size = Int(status.st_size)
    guard size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let address = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED
    else { throw FileError(path, "cannot be mapped: \(systemMessage())") }
    bytes = UnsafeRawBufferPointer(start: address, count: size)
  }

  deinit {
    if let address = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: address), bytes.count) }
  }

  /// Whether the file starts with these bytes.
  public func starts(with magic: [UInt8]) -> Bool { bytes.starts(with: magic) }
}
