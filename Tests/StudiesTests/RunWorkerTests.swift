import Foundation
import Support
import Testing

@testable import Studies

@Suite struct RunWorkerTests {
  @Test func exitCodesTellTheEnding() throws {
    let scratch = try Scratch()
    let url = scratch.url("run")
    struct Broken: Error {}
    func code(_ run: @escaping RunFunction) -> Int32 {
      RunWorker.perform(run, in: url, versions: nil, watchesInput: false)
    }
    #expect(code { _, _, _ in .finished } == RunWorker.Exit.failed, "a folder without run.json")
    let folder = try RunFolder(url, configuration: RunConfiguration())
    #expect(code { _, _, _ in .finished } == RunWorker.Exit.held)
    folder.close()
    #expect(code { _, _, _ in throw Broken() } == RunWorker.Exit.failed)
    #expect(code { _, _, _ in .stopped } == RunWorker.Exit.stopped)
    #expect(code { _, _, _ in .diverged(step: 1) } == RunWorker.Exit.complete)
    #expect(try RunRecord.read(url)?.status == .diverged(step: 1))
    #expect(FolderLock.owner(of: url) == nil)
  }

  /// What a worker relies on to notice that its executor was killed: the kernel closes the executor's end of the pipe.
  @Test(.timeLimit(.minutes(1))) func inputEndsWithTheExecutor() throws {
    let scratch = try Scratch()
    let gone = scratch.url("gone").path
    func start() throws -> WorkerProcess {
      try WorkerProcess(
        ["/bin/sh", "-c", "cat; echo gone > \(gone)"], environment: ["PATH": "/usr/bin:/bin"],
        errors: scratch.url("errors"))
    }
    var first: WorkerProcess? = try start()
    let process = try #require(first?.process)
    // A worker that starts later must not keep the first one's pipe open.
    let second = try start()
    _ = second.lines(timeout: 0.2)
    #expect(!FileManager.default.fileExists(atPath: gone))
    first = nil
    var status: Int32 = 0
    #expect(waitpid(process, &status, 0) == process && status == 0)
    #expect(FileManager.default.fileExists(atPath: gone))
    second.killGroup()
    while second.endingIfOver() == nil { _ = second.lines(timeout: 0.05) }
    #expect(second.endingIfOver() == .signal(9))
  }
}
