import Foundation
import Torch

/// A symmetric operator whose products are kept in a file, so that a computation that was stopped goes on when it is
/// begun again: earlier calls, in their order, are answered from the file with the same bits.
///
/// A call takes 16 + 4 n bytes: marks of the vector and of the product, and the product in float32. From the first
/// vector that differs, or the first damaged record, products are worked out and the rest of the file is dropped.
public final class RecordedOperator: SymmetricOperator {
  /// That of the operator.
  public var dimension: Int { operation.dimension }
  /// That of the operator.
  public var device: Device { operation.device }
  /// Calls that the file answered
  public private(set) var replayed = 0
  /// Why products are no longer kept: a file that cannot be written to does not stop the computation, and is removed.
  public private(set) var problem: String?
  private let operation: any SymmetricOperator
  private let url: URL
  private var file: FileHandle?
  private var replays = true

  /// Keeps the products of an operator.
  ///
  /// - Parameter url: the file, which is made where there is none
  /// - Throws: where it cannot be made or opened.
  public init(_ operation: any SymmetricOperator, in url: URL) throws {
    (self.operation, self.url) = (operation, url)
    if !FileManager.default.fileExists(atPath: url.path) { try Data().write(to: url) }
    file = try FileHandle(forUpdating: url)
  }

  /// The product, from the file where it has it.
  public func callAsFunction(_ vector: Tensor) throws -> Tensor {
    guard let file else { return try operation(vector) }
    let mark = try Self.plain(vector).withUnsafeBytes(Self.mark)
    if replays {
      let place = try file.offset()
      if let product = try recorded(mark, in: file) {
        replayed += 1
        return product
      }
      replays = false
      keep { try file.truncate(atOffset: place) }
    }
    let product = try operation(vector)
    guard problem == nil else { return product }
    let plain = try Self.plain(product)
    keep {
      try plain.withUnsafeBytes { bytes in
        guard let elements = UnsafeMutableRawPointer(mutating: bytes.baseAddress) else { return }
        try file.write(contentsOf: [mark, Self.mark(bytes)].withUnsafeBytes { Data($0) })
        try file.write(contentsOf: Data(bytesNoCopy: elements, count: bytes.count, deallocator: .none))
      }
    }
    return product
  }

  private func keep(_ change: () throws -> Void) {
    do {
      try change()
    } catch {
      problem = "\(url.path): \(error.localizedDescription)"
      file = nil
      try? FileManager.default.removeItem(at: url)
    }
  }

  /// The file's next product, where it is there whole and `mark` is its vector's.
  private func recorded(_ mark: UInt64, in file: FileHandle) throws -> Tensor? {
    let size = 16 + 4 * dimension
    guard let record = try file.read(upToCount: size), record.count == size else { return nil }
    return try record.withUnsafeBytes { bytes in
      let elements = UnsafeRawBufferPointer(rebasing: bytes[16...])
      guard bytes.loadUnaligned(as: UInt64.self) == mark,
        bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self) == Self.mark(elements)
      else { return nil }
      return try Tensor(copying: elements, dtype: .float32, shape: [dimension]).to(device)
    }
  }

  private static func plain(_ tensor: Tensor) throws -> Tensor {
    try tensor.detach().to(.cpu).to(.float32).contiguous()
  }

  /// Fowler, Noll and Vo's hash, 64 bits at a time and what is left by bytes.
  private static func mark(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    let prime: UInt64 = 0x100_0000_01B3
    let rest = bytes.count % 8
    let words = UnsafeRawBufferPointer(rebasing: bytes.dropLast(rest)).bindMemory(to: UInt64.self)
    let mark = words.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ $1) &* prime }
    return bytes.suffix(rest).reduce(mark) { ($0 ^ UInt64($1)) &* prime }
  }
}
