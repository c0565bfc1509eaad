import Foundation
import Torch

/// The safetensors format: an 8-byte little-endian header length, a JSON header, the tensors' bytes without gaps.
public enum Safetensors {
  /// What a file holds.
  public struct Content: Sendable {
    public var weights: Weights
    /// The header's `__metadata__`: text by key.
    public var metadata: [String: String]
  }

  /// Reads a file. The tensors lie in a private mapping of it: pages are read when first used, and writing to a tensor does not change
  /// the file. The header is checked against the file's size before anything is allocated.
  ///
  /// - Throws: `CheckpointError` naming the file, the tensor and what is wrong.
  public static func read(_ path: String) throws -> Content {
    try read(FileMapping(path))
  }

  static func read(_ mapping: FileMapping) throws -> Content {
    let (entries, metadata, dataStart) = try header(of: mapping)
    let tensors = try entries.map { entry -> (String, Tensor) in
      let range = (dataStart + entry.start)..<(dataStart + entry.end)
      return (entry.name, try mapping.tensor(range, dtype: entry.dtype, shape: entry.shape))
    }
    return Content(weights: Weights(tensors), metadata: metadata)
  }

  /// Writes weights so that the file appears all at once or not at all. Equal weights and metadata give equal bytes.
  public static func write(_ weights: Weights, metadata: [String: String] = [:], to path: String) throws {
    var header: [(String, String)] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
      header.append(("__metadata__", "{\(pairs.joined(separator: ","))}"))
    }
    var offset = 0
    for (name, tensor) in zip(weights.names, weights.tensors) {
      guard name != "__metadata__" else {
        throw CheckpointError(path, "no tensor can be named __metadata__: safetensors keeps that name for the metadata")
      }
      guard let code = codes[tensor.dtype] else {
        throw CheckpointError(path, "\(name): safetensors has no type for \(tensor.dtype)")
      }
      let end = offset + tensor.count * tensor.dtype.byteCount
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      header.append((name, "{\"dtype\":\"\(code)\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}"))
      offset = end
    }
    var json = "{" + header.map { "\(quoted($0.0)):\($0.1)" }.joined(separator: ",") + "}"
    // Pad so that the tensors start at a multiple of 8.
    json += String(repeating: " ", count: (8 - json.utf8.count % 8) % 8)

    let file = try AtomicFile(path)
    try withUnsafeBytes(of: UInt64(json.utf8.count).littleEndian) { try file.write($0) }
    try file.write(Data(json.utf8))
    for tensor in weights.tensors {
      let plain = try tensor.detach().to(.cpu).contiguous()
      try plain.withUnsafeBytes { try file.write($0) }
    }
    try file.commit()
  }

  /// The format's name of a type, such as "BF16"; nil where it has none.
  public static func code(of dtype: DType) -> String? { codes[dtype] }

  // MARK: Header

  /// Whether a file starts as this format does: a length below 4 GiB, then an object. Other formats' first bytes may be such a length
  /// (pickles start 80 02 to 80 05), but not with these after them.
  static func hasHeader(_ mapping: FileMapping) -> Bool {
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

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where scalar.value < 0x20: result += String(format: "\\u%04x", scalar.value)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  private static func header(of mapping: FileMapping) throws -> ([Entry], [String: String], Int) {
    let path = mapping.path, size = mapping.bytes.count
    guard size >= 8 else { throw CheckpointError(path, "is \(size) bytes long, too short for a safetensors file") }
    let length = UInt64(littleEndian: mapping.bytes.loadUnaligned(as: UInt64.self))
    guard length >= 2, length <= UInt64(size - 8), length <= 100 << 20 else {
      throw CheckpointError(
        path, "is no safetensors file or is cut off: its header would be \(length) bytes of the file's \(size)")
    }
    let dataStart = 8 + Int(length)
    let dataSize = size - dataStart
    let object: [(String, HeaderJSON)]
    do {
      object = try HeaderJSON.object(UnsafeRawBufferPointer(rebasing: mapping.bytes[8..<dataStart]))
    } catch {
      throw CheckpointError(path, "its header is damaged at byte \(8 + error.offset): \(error.message)")
    }
    var entries: [Entry] = []
    var metadata: [String: String] = [:]
    for (name, value) in object {
      guard case .object(let fields) = value else {
        throw CheckpointError(path, "\(name): its header entry is no object")
      }
      if name == "__metadata__" {
        for (key, value) in fields {
          guard case .string(let text) = value else { throw CheckpointError(path, "metadata \(key) is no text") }
          metadata[key] = text
        }
        continue
      }
      entries.append(try entry(name, fields, dataSize: dataSize, path: path))
    }
    entries.sort { ($0.start, $0.end) < ($1.start, $1.end) }
    var end = 0
    for entry in entries {
      guard entry.start == end else {
        throw CheckpointError(
          path,
          "\(entry.name): starts at byte \(entry.start) of the data, \(entry.start < end ? "inside the tensor before it" : "after a gap") (expected \(end))"
        )
      }
      end = entry.end
    }
    guard end == dataSize else {
      throw CheckpointError(
        path, "holds \(dataSize) bytes of tensors where its header names \(end); it was cut off or has a tail")
    }
    return (entries, metadata, dataStart)
  }

  private static func entry(_ name: String, _ fields: [(String, HeaderJSON)], dataSize: Int, path: String) throws
    -> Entry
  {
    func integers(_ value: HeaderJSON?) -> [Int]? {
      guard case .array(let items) = value else { return nil }
      let numbers = items.compactMap { if case .integer(let number) = $0, number >= 0 { number } else { nil } }
      return numbers.count == items.count ? numbers : nil
    }
    let byKey = Dictionary(fields, uniquingKeysWith: { $1 })
    guard case .string(let code) = byKey["dtype"], let dtype = dtypes[code] else {
      throw CheckpointError(path, "\(name): its type is none of \(dtypes.keys.sorted().joined(separator: ", "))")
    }
    guard let shape = integers(byKey["shape"]), let offsets = integers(byKey["data_offsets"]),
      offsets.count == 2
    else { throw CheckpointError(path, "\(name): its header entry needs shape and data_offsets of whole numbers") }
    // Strides must not overflow either, and an empty dimension does not make them smaller.
    var extent = dtype.byteCount
    for size in shape {
      let (product, overflow) = extent.multipliedReportingOverflow(by: max(size, 1))
      guard !overflow else { throw CheckpointError(path, "\(name): its shape \(shape) is impossibly large") }
      extent = product
    }
    let bytes = shape.contains(0) ? 0 : extent
    guard offsets[0] <= offsets[1], offsets[1] <= dataSize else {
      throw CheckpointError(
        path, "\(name): its bytes \(offsets[0])..<\(offsets[1]) lie outside the file's \(dataSize) bytes of data")
    }
    guard offsets[1] - offsets[0] == bytes else {
      throw CheckpointError(
        path, "\(name): \(shape) \(dtype) takes \(bytes) bytes, its header gives \(offsets[1] - offsets[0])")
    }
    return Entry(name: name, dtype: dtype, shape: shape, start: offsets[0], end: offsets[1])
  }
}
