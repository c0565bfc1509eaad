import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file operation that the system refused.
public struct FileError: Error, CustomStringConvertible, Sendable {
  /// What was tried, such as `write`.
  public let action: String
  public let path: String
  /// The system's error number.
  public let code: Int32

  init(_ action: String, _ path: String, code: Int32 = errno) {
    self.action = action
    self.path = path
    self.code = code
  }

  public var description: String {
    let hint =
      switch code {
      case ENOSPC, EDQUOT: "; free some space and run again, finished work is kept"
      case EACCES, EPERM, EROFS: "; check the owner and the permissions of the folder"
      default: ""
      }
    return "cannot \(action) \(path): \(String(cString: strerror(code)))\(hint)"
  }
}

/// Calls again while a signal interrupts.
func retrying<T: BinaryInteger>(_ call: () -> T) -> T {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}

/// Writes all of `data`.
func writeAll(_ data: Data, to descriptor: Int32, path: String) throws {
  try data.withUnsafeBytes { bytes in
    var offset = 0
    while offset < bytes.count {
      let count = retrying { write(descriptor, bytes.baseAddress?.advanced(by: offset), bytes.count - offset) }
      guard count > 0 else { throw FileError("write", path, code: count == 0 ? ENOSPC : errno) }
      offset += count
    }
  }
}

/// What tells one version of a file from another without reading it.
struct FileStamp: Hashable {
  let inode: UInt64
  let size: Int
  /// Last modification, seconds since 1970 by the file system's clock.
  let modified: Double

  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    inode = UInt64(status.st_ino)
    size = Int(status.st_size)
    #if canImport(Darwin)
      let time = status.st_mtimespec
    #else
      let time = status.st_mtim
    #endif
    modified = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  var text: String { "\(inode)-\(size)-\(modified)" }
}

/// Makes a folder and those above it.
func makeFolder(_ url: URL) throws {
  if mkdir(url.path, 0o755) == 0 { return }
  let code = errno
  var isFolder: ObjCBool = false
  switch code {
  case EEXIST where FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) && isFolder.boolValue:
    return
  case ENOENT where url.pathComponents.count > 1 && url.deletingLastPathComponent().path != url.path:
    try makeFolder(url.deletingLastPathComponent())
    if mkdir(url.path, 0o755) != 0, errno != EEXIST { throw FileError("make the folder", url.path) }
  default: throw FileError("make the folder", url.path, code: code)
  }
}

/// The system's error number behind a Foundation error.
func posixCode(_ error: any Error) -> Int32 {
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
