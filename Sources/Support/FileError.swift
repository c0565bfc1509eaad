import Foundation

/// A file that cannot be read or written, or whose content is not what it should be.
public struct FileError: Error, CustomStringConvertible, Sendable {
  /// The file; empty if the fault is not in a file.
  public let path: String
  /// What is wrong, and what to do about it.
  public let message: String
  /// The system's error number, if the system refused; otherwise nil.
  public let code: Int32?
  /// "path: message", or "cannot action path: message".
  public let description: String

  /// Content that is not what it should be: `path: message`.
  public init(_ path: String, _ message: String) {
    (self.path, self.message, code) = (path, message, nil)
    description = path.isEmpty ? message : "\(path): \(message)"
  }

  /// An operation that the system refused: `cannot write PATH: No space left on device; free some space …`.
  ///
  /// - Parameters:
  ///   - action: what was tried, such as `write`
  ///   - path: the file
  ///   - code: the system's error number
  public init(cannot action: String, _ path: String, code: Int32 = errno) {
    let hint =
      switch code {
      case ENOSPC, EDQUOT: "; free some space and run again, finished work is kept"
      case EACCES, EPERM, EROFS: "; check the owner and the permissions of the folder"
      default: ""
      }
    (self.path, self.code) = (path, code)
    message = "\(systemMessage(code))\(hint)"
    description = "cannot \(action) \(path): \(message)"
  }
}
