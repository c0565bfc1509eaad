import Foundation

// What Foundation lacks for files. Foundation also imports the system's C library, whichever that is.

/// The system's words for an error number.
package func systemMessage(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }

/// Repeats a call as long as a signal interrupts it.
package func retrying<T: BinaryInteger>(_ call: () -> T) -> T {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}

/// Writes all bytes to a descriptor: at `offset` in the file if one is given, otherwise at the descriptor's position.
///
/// - Returns: 0, or the system's error number
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int? = nil) -> Int32 {
  var position = 0
  while position < bytes.count {
    let start = bytes.baseAddress?.advanced(by: position)
    // Linux writes at most 2 GiB at once.
    let length = min(bytes.count - position, 1 << 30)
    let count = retrying {
      offset.map { pwrite(descriptor, start, length, off_t($0 + position)) } ?? write(descriptor, start, length)
    }
    guard count > 0 else { return count == 0 ? ENOSPC : errno }
    position += count
  }
  return 0
}

/// Writes all of `data` to a descriptor.
///
/// - Throws: `FileError` naming `path`.
package func writeAll(_ data: Data, to descriptor: Int32, path: String) throws {
  let code = data.withUnsafeBytes { writeAll($0, to: descriptor) }
  guard code == 0 else { throw FileError(cannot: "write", path, code: code) }
}

/// What distinguishes versions of a file without reading it.
package struct FileStamp: Hashable {
  package let inode: UInt64
  /// Bytes.
  package let size: Int
  /// Last modification, seconds and nanoseconds since 1970 by the file system's clock.
  package let seconds, nanoseconds: Int

  /// The stamp of the file to which a path leads, through links; nil if there is none, and `errno` says why.
  package init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    inode = UInt64(status.st_ino)
    size = Int(status.st_size)
    #if canImport(Darwin)
      let time = status.st_mtimespec
    #else
      let time = status.st_mtim
    #endif
    (seconds, nanoseconds) = (Int(time.tv_sec), Int(time.tv_nsec))
  }

  /// Last modification, seconds since 1970.
  package var modified: Double { Double(seconds) + Double(nanoseconds) / 1e9 }
  package var text: String { "\(inode)-\(size)-\(modified)" }
}

/// Makes a folder and those above it.
///
/// - Throws: `FileError`
package func makeFolder(_ url: URL) throws {
  if mkdir(url.path, 0o755) == 0 { return }
  let code = errno
  var isFolder: ObjCBool = false
  switch code {
  case EEXIST where FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) && isFolder.boolValue:
    return
  case ENOENT where url.pathComponents.count > 1 && url.deletingLastPathComponent().path != url.path:
    try makeFolder(url.deletingLastPathComponent())
    if mkdir(url.path, 0o755) != 0, errno != EEXIST { throw FileError(cannot: "make the folder", url.path) }
  default: throw FileError(cannot: "make the folder", url.path, code: code)
  }
}

/// The system's error number behind a Foundation error.
package func posixCode(_ error: any Error) -> Int32 {
  var error = error as NSError
  while let inner = error.userInfo[NSUnderlyingErrorKey] as? NSError { error = inner }
  if error.domain == NSPOSIXErrorDomain { return Int32(error.code) }
  switch (error.domain, error.code) {
  case (NSCocoaErrorDomain, CocoaError.fileWriteNoPermission.rawValue): return EACCES
  case (NSCocoaErrorDomain, CocoaError.fileWriteOutOfSpace.rawValue): return ENOSPC
  case (NSCocoaErrorDomain, CocoaError.fileWriteFileExists.rawValue): return EEXIST
  case (NSCocoaErrorDomain, CocoaError.fileWriteVolumeReadOnly.rawValue): return EROFS
  case (NSCocoaErrorDomain, CocoaError.fileReadNoSuchFile.rawValue): return ENOENT
  case (NSCocoaErrorDomain, CocoaError.fileReadNoPermission.rawValue): return EACCES
  default: return EIO
  }
}
