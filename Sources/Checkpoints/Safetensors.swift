import Foundation
import Support
import Torch
import Weights

/// The safetensors format: the length of the header (8 bytes, little-endian), a JSON header, and the tensors' bytes
/// without gaps. <https://github.com/huggingface/safetensors>
public enum Safetensors {
  /// What a file holds.
  public struct Content: Sendable {
    /// The tensors by name, in the order of their bytes.
    public var weights: Weights
    /// Text by key, the header's `__metadata__`.
    public var metadata: [String: String]
  }

  /// Reads a file.
  ///
  /// The tensors are in a private mapping of it: pages are read when they are first used, and writing to a tensor does
  /// not change the file. The header is checked against the file's size before anything is allocated.
  ///
  /// - Throws: `FileError` naming the file, the tensor and what is wrong.
  public static func read(_ path: String) throws -> Content {
    try read(MappedFile(path))
  }

  static func read(_ mapping: MappedFile) throws -> Content {
    let (entries, metadata, dataStart) = try header(of: mapping)
    let tensors = try entries.map { entry -> (String, Tensor) in
      let range = (dataStart + entry.start)..<(dataStart + entry.end)
      return (entry.name, try mapping.tensor(range, dtype: entry.dtype, shape: entry.shape))
    }
    return Content(weights: Weights(tensors), metadata: metadata)
  }

  /// Writes weights to a file, which is written completely or not at all. Equal weights and metadata give equal bytes.
  ///
  /// - Parameters:
  ///   - weights: the tensors, which are written in their order
  ///   - metadata: text to keep in the header, by key
  ///   - path: the file, which is replaced
  /// - Throws: `FileError` for a type that the format does not have, a tensor named `__metadata__`, and when the
  ///   file cannot be written.
  public static func write(_ weights: Weights, metadata: [String: String] = [:], to path: String) throws {
    let layout = try layout(of: weights.map { ($0.name, $0.tensor.dtype, $0.tensor.shape) }, metadata, path: path)
    let file = try AtomicFile(path)
    try file.write(layout.header)
    for tensor in weights.tensors {
      let plain = try tensor.detach().to(.cpu).contiguous()
      try plain.withUnsafeBytes { try file.write($0) }
    }
    try file.commit()
  }

  /// How a file of tensors is laid out.
  package struct Layout {
    /// All before the first tensor: the length and the JSON, padded so that tensors start at a multiple of 8.
    package let header: Data
    /// Bytes from the file's start to each tensor, by name.
    package let offsets: [String: Int]
    /// Bytes of the whole file.
    package let size: Int
  }

  /// The layout of a file with these tensors in this order.
  ///
  /// - Throws: `FileError` for a name or type that the format does not have.
  package static func layout(
    of tensors: [(name: String, dtype: DType, shape: [Int])], _ metadata: [String: String], path: String
  ) throws -> Layout {
    var members: [JSON.Member] = []
    if !metadata.isEmpty {
      let about = metadata.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .text($0.value)) }
      members.append(JSON.Member("__metadata__", .object(about)))
    }
    var offsets: [String: Int] = [:]
    var end = 0
    for (name, dtype, shape) in tensors {
      guard name != "__metadata__" else {
        throw FileError(path, "no tensor can be named __metadata__: safetensors keeps that name for the metadata")
      }
      guard let code = codes[dtype] else { throw FileError(path, "\(name): safetensors has no type for \(dtype)") }
      offsets[name] = end
      let next = end + shape.reduce(dtype.byteCount, *)
      let entry: [JSON.Member] = [
        JSON.Member("dtype", .text(code)), JSON.Member("shape", .array(shape.map(JSON.number))),
        JSON.Member("data_offsets", .array([.number(end), .number(next)])),
      ]
      members.append(JSON.Member(name, .object(entry)))
      end = next
    }
    var json = Data(JSON.object(members).compact.utf8)
    json.append(Data(repeating: 0x20, count: (8 - json.count % 8) % 8))
    let start = 8 + json.count
    return Layout(
      header: withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) } + json,
      offsets: offsets.mapValues { $0 + start }, size: start + end)
  }

  /// The format's name for a type, such as "BF16"; nil if it has none.
  public static func code(of dtype: DType) -> String? { codes[dtype] }

  // MARK: Header

  /// Whether a file starts like this format, with a length below 4 GiB and then an object. Other formats may start with
  /// such a length (pickles start with 80 02 to 80 05), but are not followed by these bytes.
  static func hasHeader(_ mapping: MappedFile) -> Bool {
    mapping.bytes.count > 8 && mapping.bytes[8] == UInt8(ascii: "{") && mapping.bytes[4..<8].allSatisfy { $0 == 0 }
  }

  struct Entry {
    var name: String
    var dtype: DType
    var shape: [Int]
    var start: Int
    var end: Int
  }

  private static let codes: [DType: String] = [
    .bool: "BOOL", .uint8: "U8", .int8: "I8", .int16: "I16", .int32: "I32", .int64: "I64", .float16: "F16",
    .bfloat16: "BF16", .float32: "F32", .float64: "F64", .uint16: "U16", .uint32: "U32", .uint64: "U64",
    .float8e4m3: "F8_E4M3", .float8e5m2: "F8_E5M2", .float8e8m0: "F8_E8M0",
  ]
  private static let dtypes = Dictionary(uniqueKeysWithValues: codes.map { ($1, $0) })

  private static func header(of mapping: MappedFile) throws -> ([Entry], [String: String], Int) {
    let path = mapping.path, size = mapping.bytes.count
    guard size >= 8 else { throw FileError(path, "is \(size) bytes long, too short for a safetensors file") }
    let length = UInt64(littleEndian: mapping.bytes.loadUnaligned(as: UInt64.self))
    guard length >= 2, length <= UInt64(size - 8), length <= 100 << 20 else {
      throw FileError(
        path, "is not a safetensors file, or is cut off: its header would be \(length) bytes of the file's \(size)")
    }
    let dataStart = 8 + Int(length)
    let dataSize = size - dataStart
    let object: [JSON.Member]
    do {
      object = try JSON.object(Array(mapping.bytes[8..<dataStart]))
    } catch {
      throw FileError(path, "its header is damaged at byte \(8 + error.offset): \(error.message)")
    }
    var entries: [Entry] = []
    var metadata: [String: String] = [:]
    for member in object {
      let name = member.name
      guard let fields = member.value.members else {
        throw FileError(path, "\(name): its header entry is not an object")
      }
      if name == "__metadata__" {
        for field in fields {
          guard let text = field.value.string else { throw FileError(path, "metadata \(field.name) is not text") }
          metadata[field.name] = text
        }
        continue
      }
      entries.append(try entry(name, member.value, dataSize: dataSize, path: path))
    }
    entries.sort { ($0.start, $0.end) < ($1.start, $1.end) }
    var end = 0
    for entry in entries {
      guard entry.start == end else {
        throw FileError(
          path,
          "\(entry.name): starts at byte \(entry.start) of the data, "
            + "\(entry.start < end ? "inside the tensor before it" : "after a gap") (expected \(end))")
      }
      end = entry.end
    }
    guard end == dataSize else {
      throw FileError(
        path, "holds \(dataSize) bytes of tensors where its header names \(end); it was cut off or has a tail")
    }
    return (entries, metadata, dataStart)
  }

  private static func entry(_ name: String, _ fields: JSON, dataSize: Int, path: String) throws -> Entry {
    func integers(_ value: JSON?) -> [Int]? {
      guard let items = value?.elements else { return nil }
      let numbers = items.compactMap(\.integer).filter { $0 >= 0 }
      return numbers.count == items.count ? numbers : nil
    }
    guard let code = fields["dtype"]?.string, let dtype = dtypes[code] else {
      throw FileError(path, "\(name): its type is none of \(dtypes.keys.sorted().joined(separator: ", "))")
    }
    guard let shape = integers(fields["shape"]), let offsets = integers(fields["data_offsets"]),
      offsets.count == 2
    else { throw FileError(path, "\(name): its header entry needs shape and data_offsets of whole numbers") }
    // Strides must not overflow either, and an empty dimension does not make them any smaller.
    var extent = dtype.byteCount
    for size in shape {
      let (product, overflow) = extent.multipliedReportingOverflow(by: max(size, 1))
      guard !overflow else { throw FileError(path, "\(name): its shape \(shape) is impossibly large") }
      extent = product
    }
    let bytes = shape.contains(0) ? 0 : extent
    guard offsets[0] <= offsets[1], offsets[1] <= dataSize else {
      throw FileError(
        path, "\(name): its bytes \(offsets[0])..<\(offsets[1]) lie outside the file's \(dataSize) bytes of data")
    }
    guard offsets[1] - offsets[0] == bytes else {
      throw FileError(
        path, "\(name): \(shape) \(dtype) takes \(bytes) bytes, its header gives \(offsets[1] - offsets[0])")
    }
    return Entry(name: name, dtype: dtype, shape: shape, start: offsets[0], end: offsets[1])
  }
}
