import CZlib

/// Unpacks zlib's streams.
enum Inflate {
  /// What `packed` unpacks to, at most `limit` bytes: more could be an attack and is refused. Memory grows with what
  /// comes out, not with what the data promise.
  static func zlib(_ packed: UnsafeRawBufferPointer, atMost limit: Int, file: String) throws -> [UInt8] {
    var stream = z_stream()
    guard inflateInit_(&stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw DatasetError(file: file, "zlib cannot be started: out of memory?")
    }
    defer { inflateEnd(&stream) }
    var rest = packed
    var result: [UInt8] = []
    // Deflate packs at most 1032 to 1, so what is reserved stays in proportion to the file.
    result.reserveCapacity(min(limit, packed.count * 3, 1 << 30))
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      if stream.avail_in == 0 {
        let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
        stream.next_in = UnsafeMutablePointer(mutating: part.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.avail_in = uInt(part.count)
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count))
      }
      let status = buffer.withUnsafeMutableBufferPointer { buffer in
        stream.next_out = buffer.baseAddress
        stream.avail_out = uInt(buffer.count)
        return inflate(&stream, Z_NO_FLUSH)
      }
      let count = buffer.count - Int(stream.avail_out)
      guard result.count + count <= limit else {
        throw DatasetError(
          file: file, "unpacks to more than the \(limit) bytes it may have",
          remedy: "it is not the file it is named after: get it again")
      }
      result += buffer[..<count]
      if status == Z_STREAM_END { return result }
      guard status == Z_OK, count > 0 || !rest.isEmpty else {
        let reason = stream.msg.map { String(cString: $0) } ?? "it ends too soon"
        throw DatasetError(file: file, "cannot be unpacked: \(reason)", remedy: "it is damaged: get the file again")
      }
    }
  }
}
