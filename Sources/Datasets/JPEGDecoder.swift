import CTurboJPEG

/// Decodes JPEG by libjpeg-turbo, with its default (accurate) transform and upsampling, which Pillow uses too. One
/// decoder serves one picture after the other, on one thread at a time.
final class JPEGDecoder {
  private let handle = tjInitDecompress()
  deinit { if let handle { tjDestroy(handle) } }

  func decode(_ bytes: UnsafeRawBufferPointer, file: String) throws -> DecodedPicture {
    guard let handle else { throw DatasetError(file: file, "libjpeg-turbo cannot be started: out of memory?") }
    let start = bytes.bindMemory(to: UInt8.self).baseAddress
    var (width, height, subsampling, space): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
    guard tjDecompressHeader3(handle, start, UInt(bytes.count), &width, &height, &subsampling, &space) == 0 else {
      throw problem(file)
    }
    try DecodedPicture.check(height: Int(height), width: Int(width), file: file)
    let isPrint = space == Int32(TJCS_CMYK.rawValue) || space == Int32(TJCS_YCCK.rawValue)
    let format = isPrint ? TJPF_CMYK : TJPF_RGB
    var pixels = [UInt8](repeating: 0, count: Int(height) * Int(width) * (isPrint ? 4 : 3))
    let flags = TJFLAG_LIMITSCANS
    if tjDecompress2(
      handle, start, UInt(bytes.count), &pixels, width, 0, height, Int32(format.rawValue), Int32(flags)) != 0
    {
      // libjpeg repairs small faults, such as stray bytes between markers, and warns. A picture that ends too soon is
      // not a small fault.
      let isWarning = tjGetErrorCode(handle) == Int32(TJERR_WARNING.rawValue)
      if !isWarning || message.contains("Premature end") { throw problem(file) }
    }
    if isPrint { pixels = Self.rgb(fromInvertedCMYK: pixels) }
    return DecodedPicture(height: Int(height), width: Int(width), pixels: pixels)
  }

  private var message: String { String(cString: tjGetErrorStr2(handle)) }

  private func problem(_ file: String) -> DatasetError {
    DatasetError(
      file: file, "libjpeg-turbo cannot read this JPEG: \(message)", remedy: "it is damaged: get the file again")
  }

  /// Such files hold the inks inverted, the way Adobe's programs write them.
  private static func rgb(fromInvertedCMYK pixels: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(pixels.count / 4 * 3)
    for pixel in stride(from: 0, to: pixels.count, by: 4) {
      let black = Int(pixels[pixel + 3])
      for channel in 0..<3 { result.append(UInt8((Int(pixels[pixel + channel]) * black + 127) / 255)) }
    }
    return result
  }
}
