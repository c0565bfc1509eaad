import Foundation
import Support
import TestSupport
import Testing

/// The test vectors of FIPS 180-2 and RFC 1321.
@Suite struct DigestTests {
  @Test func vectors() {
    #expect(
      Digest.sha256(Data("abc".utf8)).hexadecimal == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      Digest.sha256(Data()).hexadecimal == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    let md5 = Digest(.md5)
    for letter in "message digest" { md5.update(Data("\(letter)".utf8)) }
    #expect(md5.finish().hexadecimal == "f96b697d7cb7938d525a2f31aaf161d0")
  }

  @Test func filesAreReadInPieces() throws {
    let scratch = try Scratch()
    let million = Data(repeating: UInt8(ascii: "a"), count: 1_000_000)
    try million.write(to: scratch.url("a"))
    let expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    #expect(try Digest.of(file: scratch.path("a")).hexadecimal == expected)
    let error = try #require(throws: FileError.self) { try Digest.of(file: scratch.path("b")) }
    #expect(error.description == "\(scratch.path("b")): cannot be read")
  }
}
