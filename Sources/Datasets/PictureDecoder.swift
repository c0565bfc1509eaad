/// A picture as rows of pixels.
struct DecodedPicture: Hashable, Sendable {
  var height: Int
  var width: Int
  /// [height, width, 3] in row-major order: red, green, blue.
  var pixels: [UInt8]

  /// Pixels a picture may have: 8192 × 8192. More is taken for an attack, since a few bytes can promise any size.
  static let mostPixels = 1 << 26

  /// Checks a size that a file states, before memory is asked for.
  static func check(height: Int, width: Int, file: String) throws {
    guard height > 0, width > 0, height <= mostPixels, width <= mostPixels, height * width <= mostPixels else {
      throw DatasetError(
        file: file, "says that it is a picture of \(height) × \(width) pixels",
        remedy: "it is damaged, or has to be made smaller: 1 to \(mostPixels) pixels are read")
    }
  }
}

/// Reads JPEG and PNG files, told apart by their first bytes and not by their names, into RGB: grey becomes three equal channels,
/// and transparency is left out, as Pillow's `convert("RGB")` does. One decoder a thread.
final class PictureDecoder {
  private let jpeg = JPEGDecoder()

  /// What is wrong is a `DatasetError` that names `file`.
  func decode(_ bytes: UnsafeRawBufferPointer, file: String) throws -> DecodedPicture {
    if bytes.starts(with: [0xFF, 0xD8]) { return try jpeg.decode(bytes, file: file) }
    if bytes.starts(with: PNG.signature) { return try PNG.decode(bytes, file: file) }
    throw DatasetError(
      file: file, byte: 0, bytes.isEmpty ? "is empty" : "is neither a JPEG nor a PNG",
      remedy: "convert it to one of them, or take it out of the folder")
  }

  func decode(_ bytes: [UInt8], file: String) throws -> DecodedPicture {
    try bytes.withUnsafeBytes { try decode($0, file: file) }
  }
}
