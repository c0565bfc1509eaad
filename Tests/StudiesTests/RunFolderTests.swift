import Foundation
import Support
import TestSupport
import Testing

@testable import Studies

typealias Scratch = TestSupport.Scratch

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
    let taken = try #require(throws: RunFolderError.self) { try RunFolder(scratch.url("run"), configuration: other) }
    #expect(
      taken.description.contains(
        "/run holds another run (\(RunConfiguration().id)) than \(other.id); choose another folder or delete it"))
    #expect(taken.description.contains("batch_size is 128 there and 64 here"), "\(taken)")
    let none = try #require(throws: RunFolderError.self) { try RunFolder(scratch.url("none")) }
    #expect(none.description.contains("/none is no run folder: it has no run.json"), "\(none)")
    #expect(!FileManager.default.fileExists(atPath: scratch.url("none").path))
  }

  @Test func aDamagedRecordIsWrittenAnew() throws {
    let scratch = try Scratch()
    let url = scratch.url("run")
    _ = try RunFolder(url, configuration: RunConfiguration())
    try Data("{\"id\":".utf8).write(to: url.appendingPathComponent("run.json"))
    let error = try #require(throws: FileError.self) { try RunFolder(url) }
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
    let lost = try #require(throws: FolderLock.Lost.self) { try folder.end(.done) }
    #expect(lost.description.contains("/run was taken over by another process"), "\(lost)")
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
