import Torch

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file mapped into memory, privately and copy-on-write, until the last tensor over it goes.
final class FileMapping {
  let path: String
  let bytes: UnsafeRawBufferPointer

  init(_ path: String) throws {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)  // a pipe without a writer must not block
    guard descriptor >= 0 else { throw CheckpointError(path, "cannot be read: \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw CheckpointError(path, "is no file")
    }
    let size = Int(status.st_size)
    guard size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let address = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED
    else {
      throw CheckpointError(path, "cannot be mapped: \(String(cString: strerror(errno)))")
    }
    bytes = UnsafeRawBufferPointer(start: address, count: size)
  }

  deinit {
    if let address = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: address), bytes.count) }
  }

  /// A tensor over a range of the bytes; a copy only where they are not aligned to the type.
  func tensor(_ range: Range<Int>, dtype: DType, shape: [Int]) throws -> Tensor {
    let part = UnsafeRawBufferPointer(rebasing: bytes[range])
    let isAligned = Int(bitPattern: part.baseAddress) % dtype.byteCount == 0
    return isAligned && !part.isEmpty
      ? try Tensor(borrowing: part, dtype: dtype, shape: shape, owner: self)
      : try Tensor(copying: part, dtype: dtype, shape: shape)
  }

  /// Whether the file starts with these bytes.
  func starts(with magic: [UInt8]) -> Bool {
    bytes.count >= magic.count && bytes.prefix(magic.count).elementsEqual(magic)
  }
}
