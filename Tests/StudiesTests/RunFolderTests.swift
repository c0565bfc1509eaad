import Foundation
import TestSupport
import Testing

@testable import Studies

typealias Scratch = TestSupport.Scratch

@Suite struct RowFileTests {
  struct Row: Codable, Equatable { var step: Int, loss: Double }

  @Test func rowsComeBack() throws {
    let scratch = try Scratch()
    let url = scratch.url("rows.jsonl")
    let file = try RowFile(url)
    for step in 0..<3 { try file.append(Row(step: step, loss: step == 2 ? .infinity : 0.5)) }
    try file.synchronise()
    #expect(
      try String(contentsOf: url, encoding: .utf8).hasPrefix("{\"loss\":0.5,\"step\":0}\n{\"loss\":0.5,\"step\":1}\n"))
    let rows = try RowFile.rows(Row.self, in: url)
    #expect(rows.map(\.step) == [0, 1, 2])
    #expect(rows[2].loss == .infinity)
    #expect(try RowFile.rows(Row.self, in: scratch.url("none")).isEmpty)
  }

  @Test func tornLastLineIsDropped() throws {
    let scratch = try Scratch()
    let url = scratch.url("rows.jsonl")
    try Data("{\"loss\":1,\"step\":0}\n{\"loss\":1,\"st".utf8).write(to: url)
    #expect(try RowFile.rows(Row.self, in: url).count == 1)
    let file = try RowFile(url)
    #expect(file.length == 20)
    try file.append(Row(step: 1, loss: 2))
    #expect(try RowFile.rows(Row.self, in: url).map(\.step) == [0, 1])
    try Data("torn".utf8).write(to: url)
    #expect(try RowFile(url).length == 0)
  }

  @Test func truncationGivesTheSameBytes() throws {
    let scratch = try Scratch()
    let file = try RowFile(scratch.url("rows.jsonl"))
    try file.append(Row(step: 0, loss: 1))
    let recorded = file.length
    for step in 1..<5 { try file.append(Row(step: step, loss: 1)) }
    let whole = try Data(contentsOf: file.url)
    try file.truncate(to: recorded)
    for step in 1..<5 { try file.append(Row(step: step, loss: 1)) }
    #expect(try Data(contentsOf: file.url) == whole)
    #expect(throws: RowFileError.self) { try file.truncate(to: whole.count + 1) }
    #expect(throws: RowFileError.self) { try file.truncate(to: recorded - 1) }
    #expect(file.length == whole.count)
  }

  @Test func aBadLineIsNamed() throws {
    let scratch = try Scratch()
    let url = scratch.url("rows.jsonl")
    try Data("{\"loss\":1,\"step\":0}\n{\"loss\":1}\n".utf8).write(to: url)
    let error = try #require(throws: RowFileError.self) { try RowFile.rows(Row.self, in: url) }
    #expect(error.description.contains("rows.jsonl: line 2 is not a Row: the key step is missing"))
  }

  #if os(Linux)
    @Test func fullDiskIsNamed() throws {
      let file = try RowFile(URL(fileURLWithPath: "/dev/full"))
      let error = try #require(throws: FileError.self) { try file.append(Row(step: 0, loss: 1)) }
      #expect(error.description.contains("cannot write /dev/full: No space left on device; free some space"))
      #expect(file.length == 0)
    }
  #endif
}

@Suite struct RunFolderTests {
  @Test func aRunIsRecorded() throws {
    let scratch = try Scratch()
    let url = scratch.url("run")
    var folder: RunFolder? = try RunFolder(url, configuration: RunConfiguration())
    #expect(try RunRecord.read(url)?.status == .pending)
    try folder?.begin(versions: .init(valley: "1", libtorch: "2", threads: 3))
    #expect(try RunRecord.read(url)?.status == .running)
    try folder?.progress(done: 7, total: 100, interval: 0)
    #expect(try RunRecord.read(url)?.stepsDone == 7)
    try folder?.end(.diverged(step: 5))
    folder = nil
    let record = try #require(try RunRecord.read(url))
    #expect(record.status == .diverged(step: 5))
    #expect(record.attempts == 1)
    #expect(record.versions?.threads == 3)
    #expect(record.configuration == RunConfiguration())
    #expect(FolderLock.owner(of: url) == nil)
    // Opened again, by its folder alone.
    #expect(try RunFolder(url).record.attempts == 1)
  }

  @Test func anotherRunsFolderIsRefused() throws {
    let scratch = try Scratch()
    _ = try RunFolder(scratch.url("run"), configuration: RunConfiguration())
    var other = RunConfiguration()
    other.batchSize = 64
    #expect(throws: RunFolderError.self) { try RunFolder(scratch.url("run"), configuration: other) }
    #expect(throws: RunFolderError.self) { try RunFolder(scratch.url("none")) }
    #expect(!FileManager.default.fileExists(atPath: scratch.url("none").path))
  }

  @Test func aDamagedRecordIsWrittenAnew() throws {
    let scratch = try Scratch()
    let url = scratch.url("run")
    _ = try RunFolder(url, configuration: RunConfiguration())
    try Data("{\"id\":".utf8).write(to: url.appendingPathComponent("run.json"))
    let error = try #require(throws: RowFileError.self) { try RunFolder(url) }
    #expect(error.description.contains("run.json: cannot be understood"))
    #expect(try RunFolder(url, configuration: RunConfiguration()).record.status == .pending)
    #expect(try RunRecord.read(url) != nil)
  }

  @Test func aLockedFolderNamesItsOwner() throws {
    let scratch = try Scratch()
    let folder = try RunFolder(scratch.url("run"), configuration: RunConfiguration())
    let error = try #require(throws: FolderLock.Held.self) { try RunFolder(scratch.url("run")) }
    #expect(error.owner.process == getpid())
    #expect(error.description.contains("in use by process \(getpid()) on \(Machine.hostName) since 2"))
    folder.close()
    _ = try RunFolder(scratch.url("run"))
    #expect(throws: FolderLock.Lost.self) { try folder.end(.done) }
  }

  @Test func foldersThatCannotBeMadeAreNamed() throws {
    let scratch = try Scratch()
    try Data().write(to: scratch.url("file"))
    let inFile = try #require(throws: FileError.self) {
      try RunFolder(scratch.url("file/run"), configuration: RunConfiguration())
    }
    #expect(inFile.description.contains("cannot make the folder") && inFile.description.contains("file/run"))
    if getuid() != 0 {
      try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: scratch.folder.path)
      let denied = try #require(throws: FileError.self) {
        try RunFolder(scratch.url("run"), configuration: RunConfiguration())
      }
      #expect(denied.description.contains("check the owner and the permissions"))
      try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: scratch.folder.path)
    }
  }
}

@Suite struct RunTests {
  struct Broken: Error, CustomStringConvertible { let description = "out of luck" }

  @Test func theRecordFollowsTheRun() throws {
    let scratch = try Scratch()
    let folder = try RunFolder(scratch.url("run"), configuration: RunConfiguration())
    func status() throws -> RunStatus? { try RunRecord.read(folder.url)?.status }
    #expect(throws: Broken.self) { try folder.perform({ _, _, _ in throw Broken() }, versions: nil, control: .init()) }
    #expect(try status() == .failed(reason: "out of luck"))
    try folder.perform({ _, _, _ in .diverged(step: 3) }, versions: nil, control: .init())
    #expect(try status() == .diverged(step: 3))
    try folder.perform({ _, _, _ in .stopped }, versions: nil, control: .init())
    #expect(try status() == .pending)
    let reports = Counter()
    try folder.perform(
      { _, folder, control in
        for step in 1...10 where !control.shouldStop() { control.report(.init(done: step, total: 10, phase: "trunk")) }
        return .finished
      }, versions: nil, control: .init(report: { _ in reports.add(1) }))
    let record = try #require(try RunRecord.read(folder.url))
    #expect(record.status == .done)
    #expect(record.attempts == 4)
    #expect(record.stepsDone == 10 && record.stepsTotal == 10)
    #expect(reports.value == 10)
  }
}
