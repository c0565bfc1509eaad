/// A picture as rows of pixels.
struct DecodedPicture: Hashable, Sendable {
  var height: Int
  var width: Int
  /// [height, width, 3] in row-major order: red, green, blue.
  var pixels: [UInt8]

  /// The most pixels that a picture may have, 8192 × 8192. More could be an attack: a few bytes can promise any size.
  static let mostPixels = 1 << 26

  /// Checks the size that a file states, before memory is reserved for it.
  static func check(height: Int, width: Int, file: String) throws {
    guard height > 0, width > 0, height <= mostPixels, width <= mostPixels, height * width <= mostPixels else {
      throw DatasetError(
        file: file, "says that it is a picture of \(height) × \(width) pixels",
        remedy: "it is damaged, or has to be made smaller: 1 to \(mostPixels) pixels are read")
    }
  }
}

/// Decodes JPEG and PNG files, recognised by their first bytes rather than their names, to RGB. As in Pillow's
/// `convert("RGB")`, grey becomes three equal channels and transparency is dropped. Each thread has its own decoder.
final class PictureDecoder {
  private let jpeg = JPEGDecoder()

  /// Errors are a `DatasetError` that names `file`.
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
