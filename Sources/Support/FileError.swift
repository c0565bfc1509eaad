import Foundation

/// A file that cannot be read or written, or whose content is not what it should be.
public struct FileError: Error, CustomStringConvertible, Sendable {
  /// The file; empty where the fault lies in no file.
  public let path: String
  /// What is wrong, and how to mend it.
  public let message: String
  /// The system's error number, where the system refused.
  public let code: Int32?
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

/// The error of weights and checkpoints: a file's, or of weights that do not fit each other.
public typealias CheckpointError = FileError
