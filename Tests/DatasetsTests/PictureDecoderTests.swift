import Foundation
import Testing

@testable import Datasets

@Suite struct PictureDecoderTests {
  struct Expected: Codable {
    var height: Int
    var width: Int
    var pixels: Data
  }

  static func expected() throws -> [String: Expected] {
    try JSONDecoder().decode([String: Expected].self, from: Data(ArrayFileTests.bytes("coded.json")))
  }

  @Test func everyKindGivesPillowsPixels() throws {
    let decoder = PictureDecoder()
    let all = try Self.expected()
    #expect(all.count == 11)
    for (name, expected) in all {
      let picture = try decoder.decode(ArrayFileTests.bytes(name), file: name)
      #expect(picture.height == expected.height && picture.width == expected.width)
      let worst = zip(picture.pixels, expected.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 256
      // Versions of libjpeg-turbo round some blocks differently; PNG is exact.
      #expect(
        worst <= (name.hasSuffix("png") ? 0 : 2) && picture.pixels.count == expected.pixels.count, "\(name): \(worst)")
    }
  }

  @Test func whatIsNoPictureIsNamed() throws {
    let decoder = PictureDecoder()
    func failure(_ bytes: [UInt8]) -> String { Scratch.failure { try decoder.decode(bytes, file: "a/b.jpg") } }
    #expect(failure([]).contains("a/b.jpg: byte 0: is empty"))
    #expect(failure(Array("GIF89a".utf8)).contains("is neither a JPEG nor a PNG"))
    let jpeg = try ArrayFileTests.bytes("420.jpg")
    #expect(failure(Array(jpeg[..<900])).contains("Premature end"), "\(failure(Array(jpeg[..<900])))")
    let png = try ArrayFileTests.bytes("rgb.png")
    #expect(failure(Array(png[..<900])).contains("libpng cannot read this PNG"), "\(failure(Array(png[..<900])))")
    // Headers that promise pictures of 65,500 and 2³¹ − 1 pixels a side.
    var large = jpeg
    if let start = (0..<(jpeg.count - 1)).first(where: { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 }) {
      large.replaceSubrange((start + 5)..<(start + 9), with: [0xFF, 0xDC, 0xFF, 0xDC])
    }
    #expect(failure(large).contains("65500 × 65500 pixels"), "\(failure(large))")
    var wide = png
    wide.replaceSubrange(16..<24, with: [0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF])
    #expect(failure(wide).contains("a/b.jpg"), "\(failure(wide))")
  }

  @Test func damagedPicturesGiveErrorsOrPixels() throws {
    let decoder = PictureDecoder()
    for name in ["420.jpg", "progressive.jpg", "cmyk.jpg", "rgba.png", "palette.png", "gamma.png"] {
      let good = try ArrayFileTests.bytes(name)
      var refused = 0
      for seed in 0..<150 {
        do {
          let picture = try decoder.decode(mutated(good, seed: UInt64(seed)), file: name)
          #expect(picture.pixels.count == picture.height * picture.width * 3)
        } catch {
          #expect(error is DatasetError)
          refused += 1
        }
      }
      #expect(refused > 20, "\(name): \(refused)")
    }
  }
}
