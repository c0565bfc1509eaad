import Checkpoints
import Datasets
import Foundation
import Support
import TestSupport
import Testing
import Torch

/// Files that are not what they claim to be: each defect has its message, and none crashes.
@Suite struct DamagedSafetensorsTests {
  /// A file with this header and `data` bytes after it. `length` is the header's length as the file states it, the true
  /// one unless given.
  private static func file(_ header: some Sequence<UInt8>, data: Int = 16, length: UInt64? = nil) -> Data {
    let header = Data(header)
    let said = withUnsafeBytes(of: (length ?? UInt64(header.count)).littleEndian) { Data($0) }
    return said + header + Data(repeating: 1, count: data)
  }

  private static func tensor(_ shape: String, _ offsets: String = "0,16", dtype: String = "\"F32\"") -> String {
    "{\"dtype\":\(dtype),\"shape\":[\(shape)],\"data_offsets\":[\(offsets)]}"
  }

  /// A header, and what the error must say.
  private static let headers: [(String, String)] = [
    (
      "{\"a\":\(tensor("2", "0,8")),\"b\":\(tensor("2", "4,12"))}",
      "b: starts at byte 4 of the data, inside the tensor before it"
    ),
    (
      "{\"a\":\(tensor("2", "0,8")),\"b\":\(tensor("1", "12,16"))}",
      "b: starts at byte 12 of the data, after a gap (expected 8)"
    ),
    ("{\"a\":\(tensor("3", "4,16"))}", "a: starts at byte 4 of the data, after a gap (expected 0)"),
    ("{\"a\":\(tensor("3", "0,12"))}", "holds 16 bytes of tensors where its header names 12"),
    ("{}", "its header names 0"),
    ("{\"a\":\(tensor("8", "0,32"))}", "a: its bytes 0..<32 lie outside the file's 16 bytes"),
    ("{\"a\":\(tensor("2", "8,0"))}", "a: its bytes 8..<0 lie outside"),
    ("{\"a\":\(tensor("4", "0,9223372036854775807"))}", "lie outside the file's 16 bytes"),
    ("{\"a\":\(tensor("3"))}", "a: [3] float32 takes 12 bytes, its header gives 16"),
    ("{\"a\":\(tensor("4611686018427387904,4"))}", "a: its shape [4611686018427387904, 4] is impossibly large"),
    ("{\"a\":\(tensor("4294967296,4294967296,4294967296"))}", "is impossibly large"),
    ("{\"a\":\(tensor("99999999999999999999"))}", "a: its header entry needs shape and data_offsets of whole numbers"),
    ("{\"a\":\(tensor("-4"))}", "whole numbers"), ("{\"a\":\(tensor("4", "-16,0"))}", "whole numbers"),
    ("{\"a\":\(tensor("4.0"))}", "whole numbers"), ("{\"a\":\(tensor("\"4\""))}", "whole numbers"),
    ("{\"a\":\(tensor("4", "0"))}", "whole numbers"), ("{\"a\":\(tensor("4", "0,8,16"))}", "whole numbers"),
    ("{\"a\":{\"dtype\":\"F32\",\"shape\":4,\"data_offsets\":[0,16]}}", "whole numbers"),
    ("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,16]}}", "whole numbers"),
    ("{\"a\":\(tensor(Array(repeating: "1", count: 65).joined(separator: ",")))}", "list of more than 64 items"),
    ("{\"a\":\(tensor("4", dtype: "\"F4\""))}", "a: its type is none of BF16, BOOL, F16"),
    ("{\"a\":\(tensor("4", dtype: "32"))}", "a: its type is none of"),
    ("{\"a\":{\"shape\":[4]}}", "a: its type is none of"),
    ("{\"a\":\(tensor("2", "0,8")),\"a\":\(tensor("2", "8,16"))}", "'a' appears twice"),
    ("{\"a\":\(tensor("2", "0,8")),\"\\u0061\":\(tensor("2", "8,16"))}", "'a' appears twice"),
    ("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F64\"}}", "'dtype' appears twice"),
    ("{\"a\":[]}", "a: its header entry is not an object"),
    ("{\"__metadata__\":{\"k\":1}}", "metadata k is not text"),
    ("{\"__metadata__\":\"k\"}", "__metadata__: its header entry is not an object"),
    (String(repeating: "[", count: 100_000), "nested too deeply"),
    (String(repeating: "{\"a\":", count: 100_000), "nested too deeply"),
    ("[1]", "expected an object"), ("{\"a\":1} x", "damaged at byte 16: text after the end"),
    ("{\"a\" 1}", "expected ':'"),
    ("{\"a\":1", "expected '}'"), ("{\"a", "text ends early"), ("{\"a\":", "ends early"),
    ("{a:1}", "damaged at byte 9"),
    ("{\"a\":1,}", "expected a key"), ("{\"a\":yes}", "expected a value"), ("{\"\\q\":1}", "unknown escape"),
    ("{\"\\u12g4\":1}", "four hexadecimal digits"), ("{\"\\ud800\":1}", "half a surrogate pair"),
    ("{\"\\ud800\\u0041\":1}", "half a surrogate pair"), ("{\"\\udc00\":1}", "half a surrogate pair"),
    ("{\"a\u{1}\":1}", "control character"), ("  ", "ends early"),
  ]

  private static let files: [(Data, String)] = [
    (Data(), "is 0 bytes long, too short"), (Data(repeating: 0, count: 7), "is 7 bytes long"),
    (Data(repeating: 0, count: 8), "is not a safetensors file"),
    (file("{}".utf8, length: 1), "is not a safetensors file"),
    (file("{}".utf8, length: .max), "its header would be 18446744073709551615 bytes of the file's 26"),
    (file("{}".utf8, length: 1 << 63), "is not a safetensors file, or is cut off"),
    (file("{}".utf8, length: 19), "is cut off"),
    (file("{\"a\":\(tensor("4"))}".utf8, data: 15), "a: its bytes 0..<16 lie outside the file's 15 bytes of data"),
    (file("{\"a\":\(tensor("0,4611686018427387904,4", "0,0"))}".utf8, data: 0), "is impossibly large"),
    (file("{\"a\":\(tensor("4"))}".utf8, data: 17), "it was cut off or has a tail"),
    (file(Array("{\"".utf8) + [0xC3, 0x28] + Array("\":1}".utf8)), "text is not UTF-8"),
    (file([0xFF, 0xFE, 0x00]), "damaged at byte 8"),
    (Data("PK\u{3}\u{4}\u{0}\u{0}\u{0}\u{0} a PyTorch file".utf8), "is not a safetensors"),
  ]

  @Test func eachDefectHasItsWords() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/damaged.safetensors"
      for (data, words) in Self.headers.map({ (Self.file($0.utf8), $1) }) + Self.files {
        try data.write(to: URL(fileURLWithPath: path))
        #expect {
          try Safetensors.read(path)
        } throws: { error in
          let matches = "\(error)".hasPrefix("\(path): ") && "\(error)".contains(words)
          if !matches { Issue.record("'\(words)' is not in '\(error)'") }
          return matches
        }
      }
      for (path, words) in [
        (folder + "/missing", "cannot be read: No such file"), (folder, "is not a file"),
        ("/dev/null", "is not a file"),
      ] {
        #expect { try Safetensors.read(path) } throws: { "\($0)".contains(words) }
      }
    }
  }

  @Test func damagedFilesNeverCrash() throws {
    var random = SplitMix64(2026)
    var read = 0, accepted = 0
    let limit = 2 << 20
    try withTemporaryFolder { folder in
      let path = folder + "/fuzz.safetensors"
      // One file, overwritten in place: file systems wait for the disk when a file is truncated and written again.
      try Data().write(to: URL(fileURLWithPath: path))
      let handle = try #require(FileHandle(forWritingAtPath: path))
      let growths = try growths(limit: limit) {
        for _ in 0..<5_000 {
          let file = Self.damagedFile(&random)
          try handle.seek(toOffset: 0)
          try handle.write(contentsOf: file)
          try handle.truncate(atOffset: UInt64(file.count))
          read += 1
          do {
            let weights = try Safetensors.read(path).weights
            accepted += 1
            #expect(weights.tensors.reduce(0) { $0 + $1.count * $1.dtype.byteCount } <= 19)
            for tensor in weights.tensors { _ = try tensor.array(Double.self) }
          } catch {
            #expect(error is FileError, "\(error)")
          }
        }
      }
      #expect(growths.contains { $0 < limit }, "bytes left behind by each 5,000 files: \(growths)")
    }
    #expect(read >= 20_000)
    #expect((read / 10..<read * 3 / 4).contains(accepted), "\(accepted) of \(read) files were accepted")
  }

  /// A good file after up to four changes to its header, sometimes with a wrong header length, sometimes cut short.
  private static func damagedFile(_ random: inout SplitMix64) -> Data {
    var header = Array(
      ("{\"__metadata__\":{\"k\":\"\\u00e9\"},\"a\":\(tensor("2,2", "0,16")),"
        + "\"b\":\(tensor("3", "16,19", dtype: "\"U8\""))}").utf8)
    for _ in 0..<Int.random(in: 0...4, using: &random) {
      let place = Int.random(in: 0..<header.count, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: header[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1: header[place] = alphabet.randomElement(using: &random) ?? 0
      case 2: header.insert(alphabet.randomElement(using: &random) ?? 0, at: place)
      case 3: header.remove(at: place)
      default: header.insert(contentsOf: header[place..<min(place + 40, header.count)], at: place)
      }
    }
    let hasWrongLength = Int.random(in: 0..<20, using: &random) == 0
    let good = file(header, data: 19, length: hasWrongLength ? UInt64.random(in: 0...400, using: &random) : nil)
    let isCut = Int.random(in: 0..<10, using: &random) == 0
    return isCut ? good.prefix(Int.random(in: 0...good.count, using: &random)) : good
  }

  private static let alphabet = Array("{}[]\",:\\0123456789eu-. \n\u{7F}F".utf8) + [0, 0xFF]
}
