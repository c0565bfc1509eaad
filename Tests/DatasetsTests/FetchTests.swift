import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Downloads from a server that the test starts on this machine.
@Suite(.serialized) final class FetchTests {
  private let served: Scratch
  private let target: Scratch
  private let server = Process()
  private let standardInput = Pipe()
  private let address: String
  private let body = randomBytes(300_000, seed: 1)
  private let md5: String

  init() throws {
    served = try Scratch()
    target = try Scratch()
    md5 = try Download.checksum(of: served.write(body, to: "data.bin"))
    let output = Pipe()
    server.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    server.arguments = ["python3", fixtureFolder.appendingPathComponent("server.py").path, served.folder.path]
    server.standardInput = standardInput
    server.standardOutput = output
    try server.run()
    var line = Data()
    while !line.contains(UInt8(ascii: "\n")), let byte = try output.fileHandleForReading.read(upToCount: 1),
      !byte.isEmpty
    { line += byte }
    address =
      "http://127.0.0.1:" + String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  deinit {
    try? standardInput.fileHandleForWriting.close()
    server.waitUntilExit()
  }

  private var file: URL { target.folder.appendingPathComponent("data.bin") }
  private var part: URL { target.folder.appendingPathComponent("data.bin.part") }
  private func bytes(_ file: URL) -> [UInt8]? { (try? Data(contentsOf: file)).map { [UInt8]($0) } }
  private var requests: String {
    bytes(served.folder.appendingPathComponent("requests.log")).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  private func fetch(_ path: String, md5: String? = nil, limit: Int = 1 << 20) async throws {
    let url = try #require(URL(string: address + path))
    try await Download.fetch(url, to: file, checksum: md5 ?? self.md5, limit: limit)
  }

  private func failure(_ path: String, md5: String? = nil, limit: Int = 1 << 20) async -> String {
    do {
      try await fetch(path, md5: md5, limit: limit)
      return "no error"
    } catch { return error is DatasetError ? "\(error)" : "another error: \(error)" }
  }

  @Test func aWholeFileArrives() async throws {
    try await fetch("/range/data.bin")
    #expect(bytes(file) == body)
    #expect(bytes(part) == nil)
    #expect(requests == "range None\n")
  }

  @Test func aBrokenDownloadGoesOnWhereItStopped() async throws {
    let message = await failure("/cut/data.bin")
    #expect(message.contains("stopped after 150000 of 300000 bytes"), "\(message)")
    #expect(bytes(file) == nil)
    #expect(bytes(part) == Array(body[..<150_000]))
    try await fetch("/cut/data.bin")
    #expect(bytes(file) == body)
    #expect(requests == "cut None\ncut bytes=150000-\n")
  }

  @Test func aServerWithoutRangesSendsItAllAgain() async throws {
    try target.write(Array(body[..<1000]), to: "data.bin.part")
    try await fetch("/plain/data.bin")
    #expect(bytes(file) == body)
    #expect(requests == "plain bytes=1000-\n")
  }

  @Test func aWholePartNeedsNoMoreBytes() async throws {
    try target.write(body, to: "data.bin.part")
    try await fetch("/range/data.bin")
    #expect(bytes(file) == body)
  }

  @Test func whatDoesNotFitIsDeletedAndSaid() async throws {
    var message = await failure("/range/data.bin", md5: String(repeating: "0", count: 32))
    #expect(message.contains("the MD5 is \(md5) where 00000000000000000000000000000000 was expected"), "\(message)")
    #expect(bytes(file) == nil && bytes(part) == nil)
    try target.write(body + [1], to: "data.bin.part")
    message = await failure("/range/data.bin")
    #expect(message.contains("is not a part of this file"), "\(message)")
    #expect(bytes(part) == nil)
    try target.write([1, 2, 3], to: "data.bin.part")
    message = await failure("/wrong/data.bin")
    #expect(message.contains("when asked to go on from byte 3"), "\(message)")
    message = await failure("/range/nothing.bin")
    #expect(message.contains("/range/nothing.bin: the server answered 404"), "\(message)")
    try? FileManager.default.removeItem(at: part)
    message = await failure("/range/data.bin", limit: 1000)
    #expect(message.contains("the file has 300000 bytes, more than the 1000 allowed"), "\(message)")
    #expect(bytes(part) == nil && bytes(file) == nil)
    do {
      try await Download.fetch(#require(URL(string: "file:///etc/passwd")), to: file)
      Issue.record("a file address was accepted")
    } catch { #expect("\(error)".contains("http")) }
  }

  @Test func aServerThatIsNotThereIsNamed() async throws {
    let url = try #require(URL(string: "http://127.0.0.1:1/x"))
    let error = await #expect(throws: DatasetError.self) {
      try await Download.fetch(url, to: self.file, checksum: self.md5)
    }
    #expect(error?.file == "http://127.0.0.1:1/x")
    #expect(error?.remedy == "check the connection, or try a mirror with --url", "\(error as Any)")
  }

  /// An archive with the expected members and others that must not be unpacked.
  @Test func archivesAreUnpackedByMember() async throws {
    try served.write(Array("inside".utf8), to: "folder/a.bin")
    try served.write(Array("evil".utf8), to: "evil.bin")
    try served.shell("tar -czPf data.tar.gz folder/a.bin ../$(basename $PWD)/evil.bin && rm evil.bin")
    let archive = KnownDataset.Archive(
      address: "http://unused.invalid/data.tar.gz",
      checksum: try Download.checksum(of: served.folder.appendingPathComponent("data.tar.gz")), bytes: 1000,
      members: [.init(name: "folder/a.bin", bytes: 6)])
    let files = try await KnownDataset.cifar10.fetch(
      [archive], to: target.folder, mirror: address + "/range", progress: { _, _, _ in })
    #expect(files.map { bytes($0) } == [Array("inside".utf8)])
    #expect(try FileManager.default.contentsOfDirectory(atPath: target.folder.path) == ["folder"])
    #expect(!FileManager.default.fileExists(atPath: served.folder.appendingPathComponent("evil.bin").path))
    // Nothing is fetched twice.
    let before = requests
    _ = try await KnownDataset.cifar10.fetch([archive], to: target.folder, mirror: address, progress: { _, _, _ in })
    #expect(requests == before)
    // A member that is larger than allowed, and one that does not exist.
    for (name, limit, words) in [
      ("folder/a.bin", 5, "unpacks to more than the 5 bytes it may have; it is not the file it is named after"),
      ("folder/b.bin", 5, "tar could not unpack it: "),
    ] {
      var other = archive
      other.members = [.init(name: name, bytes: limit)]
      try? FileManager.default.removeItem(at: target.folder.appendingPathComponent("folder"))
      let error = await #expect(throws: DatasetError.self) {
        try await KnownDataset.cifar10.fetch(
          [other], to: self.target.folder, mirror: self.address + "/range", progress: { _, _, _ in })
      }
      let text = error?.description ?? ""
      #expect(text.contains("data.tar.gz: \(words)") && text.contains("fetch it again"), "\(text)")
    }
  }

  @Test func everyDatasetSaysWhatItNeeds() {
    for dataset in KnownDataset.allCases where dataset != .glyphs {
      #expect(dataset.archives.isEmpty == (dataset.origin != nil))
      for archive in dataset.archives {
        #expect([32, 64].contains(archive.checksum.count) && archive.bytes > 0 && URL(string: archive.address) != nil)
      }
    }
    #expect(KnownDataset.cifar10.archives[0].members.map(\.name).contains("cifar-10-batches-bin/data_batch_5.bin"))
    let classes = [10, 100, 200, 45, 62]
    #expect(KnownDataset.allCases.allSatisfy { $0.isOwn || $0.isText || classes.contains($0.classNames.count) })
  }
}
