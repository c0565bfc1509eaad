import Foundation
import TestSupport
import Testing

@testable import Support

@Suite struct FolderLockTests {
  /// A lock file as another process would have left it.
  private func plant(
    _ scratch: Scratch, host: String = Machine.hostName, process: Int32, start: String, age: Double = 0
  ) throws {
    let owner = FolderLock.Owner(
      host: host, processSpace: Machine.processSpace, process: process, processStart: start, since: Date(),
      token: UUID().uuidString)
    let file = scratch.url("lock")
    try JSONEncoder.record.encode(owner).write(to: file)
    try FileManager.default.setAttributes([.modificationDate: Date() - age], ofItemAtPath: file.path)
  }

  @Test func heldUntilReleased() throws {
    let scratch = try Scratch()
    let lock = try FolderLock(scratch.folder)
    #expect(FolderLock.owner(of: scratch.folder) == lock.owner)
    let text = failure(of: FolderLock.Held.self) { try FolderLock(scratch.folder) }
    #expect(text.hasPrefix("\(scratch.folder.path) is in use by process \(lock.owner.process) on "), "\(text)")
    #expect(text.contains("wait for it or stop it"), "\(text)")
    lock.release()
    #expect(FolderLock.owner(of: scratch.folder) == nil)
    let next = try FolderLock(scratch.folder)
    try next.check()
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.folder.path) == ["lock"])
  }

  @Test func aDeadProcessIsSucceededAtOnce() throws {
    let scratch = try Scratch()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/true")
    try process.run()
    process.waitUntilExit()
    try plant(scratch, process: process.processIdentifier, start: "1")
    #expect(FolderLock.owner(of: scratch.folder) == nil)
    let lock = try FolderLock(scratch.folder)
    try lock.check()
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.folder.path) == ["lock"])
  }

  @Test func aReusedProcessNumberIsNotTheOwner() throws {
    #if os(Linux)
      let scratch = try Scratch()
      try plant(scratch, process: getpid(), start: "not my start")
      try FolderLock(scratch.folder).check()
    #endif
  }

  @Test func anotherMachineIsBelievedForAMinute() throws {
    let scratch = try Scratch()
    try plant(scratch, host: "elsewhere", process: 1, start: "1", age: 30)
    let error = try #require(throws: FolderLock.Held.self) { try FolderLock(scratch.folder) }
    #expect(error.description.contains("process 1 on elsewhere"))
    try plant(scratch, host: "elsewhere", process: 1, start: "1", age: 90)
    try FolderLock(scratch.folder).check()
  }

  @Test func aDamagedLockIsBelievedForAMinute() throws {
    let scratch = try Scratch()
    try Data("{".utf8).write(to: scratch.url("lock"))
    #expect(failure(of: FolderLock.Held.self) { try FolderLock(scratch.folder) }.contains("on an unknown machine"))
    try FileManager.default.setAttributes([.modificationDate: Date() - 90], ofItemAtPath: scratch.url("lock").path)
    try FolderLock(scratch.folder).check()
  }

  @Test func theHeartbeatKeepsALockFresh() throws {
    let scratch = try Scratch()
    let lock = try FolderLock(scratch.folder, heartbeat: 0.05)
    try FileManager.default.setAttributes([.modificationDate: Date() - 90], ofItemAtPath: scratch.url("lock").path)
    Thread.sleep(forTimeInterval: 0.5)
    let stamp = try #require(FileStamp(scratch.url("lock").path))
    #expect(Date().timeIntervalSince1970 - stamp.modified < 5)
    lock.release()
  }

  @Test func aLostLockIsNoticed() throws {
    let scratch = try Scratch()
    let lock = try FolderLock(scratch.folder)
    try FileManager.default.removeItem(at: scratch.url("lock"))
    try plant(scratch, host: "elsewhere", process: 1, start: "1")
    #expect(
      failure(of: FolderLock.Lost.self) { try lock.check() }
        .hasPrefix("\(scratch.folder.path) was taken over by another process"))
    lock.release()
    // What is not ours stays.
    #expect(FileManager.default.fileExists(atPath: scratch.url("lock").path))
  }

  /// Many threads fight for an abandoned lock, again and again: never two owners, always one in the end.
  @Test func onlyOneTakesOverAnAbandonedLock() throws {
    let scratch = try Scratch()
    let owners = Counter()
    for round in 0..<40 {
      try plant(scratch, host: round % 2 == 0 ? Machine.hostName : "elsewhere", process: 0, start: "1", age: 90)
      let winners = Counter()
      DispatchQueue.concurrentPerform(iterations: 8) { _ in
        guard let lock = try? FolderLock(scratch.folder) else { return }
        winners.add(1)
        if owners.add(1) != 1 { Issue.record("two owners at once") }
        Thread.sleep(forTimeInterval: 0.002)
        if (try? lock.check()) == nil { Issue.record("the owner lost its lock") }
        owners.add(-1)
        lock.release()
      }
      #expect(winners.value >= 1)
      #expect(FolderLock.owner(of: scratch.folder) == nil)
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: scratch.folder.path)
    #expect(left.allSatisfy { $0.hasPrefix("lock.after-") } && left.count <= 8, "\(left)")
  }
}
