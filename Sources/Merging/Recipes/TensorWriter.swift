import Checkpoints
import Foundation
import Support

/// A safetensors file whose header is known before its tensors: it is written piece by piece, in any order, by several
/// threads.
final class TensorWriter: Sendable {
  let path: String
  private let descriptor: Int32
  private let offsets: [String: Int]

  /// Opens the file and writes the header. The tensors get their places in the given order.
  init(_ path: String, tensors: [PlannedTensor], metadata: [String: String]) throws {
    self.path = path
    let layout = try Safetensors.layout(of: tensors.map { ($0.name, $0.dtype, $0.shape) }, metadata, path: path)
    offsets = layout.offsets
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw unwritable(errno) }
    try layout.header.withUnsafeBytes { try write($0, at: 0) }
    // Without content the file must still have its full length.
    guard layout.size == layout.header.count || ftruncate(descriptor, off_t(layout.size)) == 0 else {
      throw unwritable(errno)
    }
  }

  private func unwritable(_ code: Int32) -> FileError {
    FileError(path, "cannot be written: \(systemMessage(code))")
  }

  deinit { close(descriptor) }

  /// Writes a part of a tensor, `position` bytes from its start.
  func write(_ bytes: UnsafeRawBufferPointer, of name: String, at position: Int) throws {
    guard let offset = offsets[name] else { throw FileError(path, "has no tensor \(name)") }
    try write(bytes, at: offset + position)
  }

  private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
    let code = writeAll(bytes, to: descriptor, at: offset)
    guard code == 0 else { throw unwritable(code) }
  }

  /// Sends what was written to stable storage.
  func flush() throws {
    guard fsync(descriptor) == 0 else { throw unwritable(errno) }
  }
}
