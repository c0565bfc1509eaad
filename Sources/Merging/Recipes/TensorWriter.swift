import Checkpoints
import Foundation
import Torch

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A safetensors file whose header is known before its tensors: written piece by piece, in any order, by several threads.
final class TensorWriter: Sendable {
  /// How many bytes are gathered before they are written: few enough to be in the processor's cache still.
  static let bufferSize = 1 << 19

  let path: String
  private let descriptor: Int32
  private let offsets: [String: Int]

  /// Opens the file and writes the header. The tensors get their places in the given order.
  init(_ path: String, tensors: [PlannedTensor], metadata: [String: String]) throws {
    self.path = path
    var parts = ["\"__metadata__\":\(Self.json(metadata))"]
    var places: [String: Int] = [:]
    var end = 0
    for tensor in tensors {
      guard tensor.name != "__metadata__", let code = Safetensors.code(of: tensor.dtype) else {
        throw CheckpointError(path, "\(tensor.name): safetensors has no such name or type (\(tensor.dtype))")
      }
      places[tensor.name] = end
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      let next = end + tensor.byteCount
      parts.append(
        "\(Self.json(tensor.name)):{\"dtype\":\"\(code)\",\"shape\":[\(shape)],\"data_offsets\":[\(end),\(next)]}")
      end = next
    }
    var header = Data("{\(parts.joined(separator: ","))}".utf8)
    // Pad so that the tensors start at a multiple of 8.
    header.append(Data(repeating: 0x20, count: (8 - header.count % 8) % 8))
    let start = 8 + header.count
    offsets = places.mapValues { $0 + start }
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw CheckpointError(path, "cannot be written: \(String(cString: strerror(errno)))")
    }
    let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) }
    try (length + header).withUnsafeBytes { try write($0, at: 0) }
    // Without content the file must still have its full length.
    if end == 0 || ftruncate(descriptor, off_t(start + end)) == 0 { return }
    throw CheckpointError(path, "cannot be written: \(String(cString: strerror(errno)))")
  }

  deinit { close(descriptor) }

  /// Writes a part of a tensor, `position` bytes from its start.
  func write(_ bytes: UnsafeRawBufferPointer, of name: String, at position: Int) throws {
    guard let offset = offsets[name] else { throw CheckpointError(path, "has no tensor \(name)") }
    try write(bytes, at: offset + position)
  }

  private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
    var rest = bytes
    var offset = offset
    while !rest.isEmpty {
      let written = pwrite(descriptor, rest.baseAddress, min(rest.count, 1 << 30), off_t(offset))
      if written < 0, errno == EINTR { continue }
      guard written > 0 else {
        throw CheckpointError(path, "cannot be written: \(String(cString: strerror(errno)))")
      }
      offset += written
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  /// Sends what was written to stable storage.
  func flush() throws {
    guard fsync(descriptor) == 0 else {
      throw CheckpointError(path, "cannot be written: \(String(cString: strerror(errno)))")
    }
  }

  static func json(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}
