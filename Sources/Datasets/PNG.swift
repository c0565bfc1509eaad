import CPng

/// Decodes PNG by libpng's simplified interface.
enum PNG {
  static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  static func decode(_ bytes: UnsafeRawBufferPointer, file: String) throws -> DecodedPicture {
    guard let plain = withoutColourSpace(bytes) else { return try read(bytes, file: file) }
    return try plain.withUnsafeBytes { try read($0, file: file) }
  }

  private static func read(_ bytes: UnsafeRawBufferPointer, file: String) throws -> DecodedPicture {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    defer { png_image_free(&image) }
    guard png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0 else {
      throw problem(image, file)
    }
    let (height, width) = (Int(image.height), Int(image.width))
    try DecodedPicture.check(height: height, width: width, file: file)
    // Transparency is read and then dropped: otherwise libpng would blend the picture with a background.
    let isTransparent = image.format & png_uint_32(PNG_FORMAT_FLAG_ALPHA) != 0
    image.format = png_uint_32(PNG_FORMAT_FLAG_COLOR) | (isTransparent ? png_uint_32(PNG_FORMAT_FLAG_ALPHA) : 0)
    // 16-bit samples are stored like 8-bit ones, not in proportion to light.
    image.flags |= png_uint_32(PNG_IMAGE_FLAG_16BIT_sRGB)
    let channels = isTransparent ? 4 : 3
    var pixels = [UInt8](repeating: 0, count: height * width * channels)
    let isRead = pixels.withUnsafeMutableBytes { png_image_finish_read(&image, nil, $0.baseAddress, 0, nil) != 0 }
    guard isRead else { throw problem(image, file) }
    if isTransparent {
      for pixel in 1..<max(1, height * width) {
        for channel in 0..<3 { pixels[pixel * 3 + channel] = pixels[pixel * 4 + channel] }
      }
      pixels.removeLast(height * width)
    }
    return DecodedPicture(height: height, width: width, pixels: pixels)
  }

  /// The same file with only the chunks that the pixels need; nil if it has no others. Without the rest libpng returns
  /// the samples as they are stored, as Pillow does, and does not convert them to another gamma.
  private static func withoutColourSpace(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
    let wanted: Set<String> = ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"]
    var parts: [Range<Int>] = []
    var (start, isChanged) = (signature.count, false)
    while start + 12 <= bytes.count {
      let length = bytes[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) }
      let name = String(decoding: bytes[(start + 4)..<(start + 8)], as: UTF8.self)
      // libpng reports what is wrong with the rest of a damaged file.
      let end = min(start + 12 + length, bytes.count)
      if wanted.contains(name) { parts.append(start..<end) } else { isChanged = true }
      start = end
    }
    guard isChanged else { return nil }
    return parts.reduce(into: signature) { $0 += bytes[$1] }
  }

  private static func problem(_ image: png_image, _ file: String) -> DatasetError {
    let message = withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return DatasetError(
      file: file, "libpng cannot read this PNG: \(message)", remedy: "it is damaged: get the file again")
  }
}
