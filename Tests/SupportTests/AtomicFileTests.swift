import Foundation
import Checkpoints
import Support
import TestSupport
import Testing
import Torch
import Weights

@Suite struct AtomicFileTests {
  private static func names(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }

  @Test func theContentAppearsAllAtOnce() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/result.json"
      try writeAtomically(Data("old".utf8), to: path)
      do {
        let file = try AtomicFile(path)
        try file.write(Data("new".utf8))
        #expect(try Self.names(folder).count == 2)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
        try file.commit()
        #expect(
          failure(of: FileError.self) { try file.write(Data("more".utf8)) }
            == "\(path): is complete; nothing can be added")
        #expect(failure(of: FileError.self) { try file.commit() } == "\(path): is complete already")
      }
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "new")
      #expect(try Self.names(folder) == ["result.json"])
    }
  }

  @Test func whatIsNotCommittedLeavesTheOldContentAndNothingElse() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/result.json"
      for old in [nil, "old"] as [String?] {
        if let old { try writeAtomically(Data(old.utf8), to: path) }
        do {
          let file = try AtomicFile(path)
          try file.write(Data("new".utf8))
        }
        #expect(try Self.names(folder) == (old == nil ? [] : ["result.json"]))
        #expect((try? String(contentsOfFile: path, encoding: .utf8)) == old)
      }
    }
  }

  @Test func twoWritersOfOneFileDoNotMeet() throws {
    try withTemporaryFolder { folder in
      let (a, b) = (try AtomicFile(folder + "/x"), try AtomicFile(folder + "/x"))
      try a.write(Data("a".utf8))
      try b.write(Data("b".utf8))
      try b.commit()
      try a.commit()
      #expect(try String(contentsOfFile: folder + "/x", encoding: .utf8) == "a")
    }
  }

  @Test func placesThatTakeNoFileAreNamed() throws {
    try withTemporaryFolder { folder in
      try writeAtomically(Data(), to: folder + "/file")
      try FileManager.default.createDirectory(atPath: folder + "/taken/inside", withIntermediateDirectories: true)
      let table = [
        ("/missing/x", "No such file or directory"), ("/file/x", "Not a directory"), ("/taken", "directory"),
      ]
      for (name, words) in table {
        #expect {
          try writeAtomically(Data("x".utf8), to: folder + name)
        } throws: { "\($0)".hasPrefix("\(folder + name): cannot be written: ") && "\($0)".contains(words) }
      }
      #expect(try Self.names(folder) == ["file", "taken"] && Self.names(folder + "/taken") == ["inside"])
    }
  }

  @Test(.enabled(if: getuid() != 0, "the superuser may write everywhere"))
  func aFolderWithoutPermissionIsNamed() throws {
    try withTemporaryFolder { folder in
      chmod(folder, 0o500)
      defer { chmod(folder, 0o700) }
      #expect {
        try writeAtomically(Data("x".utf8), to: folder + "/x")
      } throws: { "\($0)" == "\(folder)/x: cannot be written: Permission denied" }
    }
  }

  @Test(.enabled(if: getuid() == 0, "only the superuser can mount a small disk"))
  func aFullDiskLeavesTheOldContent() throws {
    try withTemporaryFolder { folder in
      // Containers may not mount; the test then says nothing.
      guard try run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder) else { return }
      defer { _ = try? run("umount", folder) }
      let path = folder + "/weights.safetensors"
      let old = Weights([("w", try Tensor([1] as [Float]))])
      try Safetensors.write(old, to: path)
      #expect {
        try Safetensors.write(Weights([("w", try Tensor.zeros([1 << 20]))]), to: path)
      } throws: { "\($0)" == "\(path): cannot be written: No space left on device" }
      #expect(try Self.names(folder) == ["weights.safetensors"])
      #expect(try Safetensors.read(path).weights.isIdentical(to: old))
    }
  }

  private func run(_ command: String...) throws -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus == 0
  }
}
