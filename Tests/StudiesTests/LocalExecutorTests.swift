import Foundation
import Support
import Synchronization
import TestSupport
import Testing

@testable import Studies

/// Runs whose batch size tells a fake worker, a shell script, how to behave.
@Suite struct LocalExecutorTests {
  enum Behaviour: Int {
    case finish = 2
    case diverge, fail, crash, quit, obey, resist, held
  }

  static let script = """
    #!/bin/sh
    # Behaves as its run's batch size says; run.json is changed as the real worker would.
    set_status() {
      sed "s/\\"pending\\" : {/$1/" "$folder/run.json" > "$folder/new" && mv "$folder/new" "$folder/run.json"
    }
    for folder; do :; done
    size=$(sed -n 's/.*"batchSize" : \\([0-9]*\\).*/\\1/p' "$folder/run.json")
    [ $size = 7 ] && trap 'echo asked > "$folder/asked"; exit 3' TERM
    [ $size = 8 ] && trap '' TERM
    echo "$OMP_NUM_THREADS" > "$folder/threads"
    echo $$ > "$folder/pid"
    echo '{"done":1,"phase":"trunk","total":4}'
    echo 'not JSON'
    case $size in
      2) set_status '"done" : {'; printf '{"done":4,"phase":"trunk","total":4}\\nunfinished' ;;
      3) set_status '"diverged" : {"step": 5' ;;
      4) set_status '"failed" : {"reason": "bad luck"'; exit 1 ;;
      5) echo "about to crash" >&2; kill -SEGV $$ ;;
      6) echo "unexpected" >&2; exit 7 ;;
      7 | 8) while :; do sleep 0.05; done ;;
      9) exit 75 ;;
    esac
    """

  private struct Setup {
    let scratch: Scratch
    let folder: StudyFolder
    let command: [String]
    let runs: [StudyRun]

    init(_ behaviours: [Behaviour], seeds: Int = 1) throws {
      scratch = try Scratch()
      let sizes = behaviours.map { "\($0.rawValue)" }.joined(separator: ", ")
      let yaml =
        "name: fake\nsweep: {grid: {batch_size: [\(sizes)]}}\n"
        + "seeds: [\((0..<seeds).map(String.init).joined(separator: ", "))]\n"
      try Data(yaml.utf8).write(to: scratch.url("fake.yaml"))
      folder = try StudyFolder(scratch.url("out"), for: scratch.url("fake.yaml"))
      try Data(LocalExecutorTests.script.utf8).write(to: scratch.url("worker"))
      command = ["/bin/sh", scratch.url("worker").path, "extra"]
      runs = folder.study.runs
    }

    func status(_ index: Int) throws -> RunStatus? {
      try folder.states(StudyIndex(folder.url))[index].status
    }

    func text(_ index: Int, _ name: String) -> String? {
      try? String(contentsOf: folder.folder(of: runs[index]).appendingPathComponent(name), encoding: .utf8)
    }
  }

  @Test(.timeLimit(.minutes(1))) func everyKindOfEnding() throws {
    let setup = try Setup([.finish, .diverge, .fail, .crash, .quit, .held])
    let executor = LocalExecutor(command: setup.command, jobs: 3, threads: 5)
    let events = Mutex<[String]>([])
    let endings = executor.perform(setup.runs, in: setup.folder) { event in
      events.withLock { events in
        switch event {
        case .started(let run): events.append("started \(run.id)")
        case .progress(let run, let progress): events.append("progress \(run.id) \(progress.done)/\(progress.total)")
        case .ended(let run, _): events.append("ended \(run.id)")
        }
      }
    }
    #expect(endings.map(\.run) == setup.runs)
    let found = endings.map(\.ending)
    #expect(found[0] == .done)
    #expect(found[1] == .diverged(step: 5))
    #expect(found[2] == .failed(reason: "bad luck"))
    #expect(found[3] == .failed(reason: "its worker was ended by signal 11:\n  about to crash"))
    #expect(found[4] == .failed(reason: "its worker ended with code 7:\n  unexpected"))
    #expect(found[5] == .held("another process"))
    #expect(try setup.status(0) == .done)
    #expect(try setup.status(1) == .diverged(step: 5))
    #expect(try setup.status(3) == .failed(reason: "its worker was ended by signal 11:\n  about to crash"))
    #expect(setup.text(0, "threads") == "5\n")
    let seen = events.withLock { $0 }
    let first = setup.runs[0].id
    #expect(
      seen.filter { $0.contains(first) }
        == ["started \(first)", "progress \(first) 1/4", "progress \(first) 4/4", "ended \(first)"])
    #expect(seen.filter { $0.hasPrefix("ended") }.count == 6)
  }

  @Test(.timeLimit(.minutes(1))) func theFirstStopAsksAndNothingNewStarts() throws {
    let setup = try Setup([.obey], seeds: 5)
    let executor = LocalExecutor(command: setup.command, jobs: 2)
    let reports = Counter()
    let stop = LocalExecutor.Stop()
    let endings = executor.perform(setup.runs, in: setup.folder, stop: stop) { event in
      if case .progress = event, reports.add(1) == 1 { stop.request() }
    }
    #expect(endings.count <= 2 && !endings.isEmpty)
    #expect(endings.allSatisfy { $0.ending == .stopped })
    for (run, _) in endings {
      #expect(FileManager.default.fileExists(atPath: setup.folder.folder(of: run).appendingPathComponent("asked").path))
    }
    #expect(try setup.status(0) == .pending)
  }

  @Test(.timeLimit(.minutes(1))) func theSecondStopKills() throws {
    let setup = try Setup([.resist])
    let stop = LocalExecutor.Stop()
    let start = ContinuousClock.now
    let endings = LocalExecutor(command: setup.command, jobs: 1).perform(setup.runs, in: setup.folder, stop: stop) {
      event in
      guard case .progress = event else { return }
      stop.request()
      DispatchQueue.global().asyncAfter(deadline: .now() + 0.5) { stop.request() }
    }
    #expect(endings.map(\.ending) == [.stopped])
    #expect(ContinuousClock.now - start > .seconds(0.4))
    let process = Int32(setup.text(0, "pid")?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "") ?? 0
    #expect(process > 0 && kill(process, 0) != 0)
  }

  @Test(.timeLimit(.minutes(1))) func theLongestGoesFirst() throws {
    let setup = try Setup([.finish], seeds: 4)
    let order = Mutex<[String]>([])
    var executor = LocalExecutor(command: setup.command, jobs: 1)
    executor.cost = { Double([1, 3, 3, 2][$0.configuration.seeds.order]) }
    _ = executor.perform(setup.runs, in: setup.folder) { event in
      if case .started(let run) = event { order.withLock { $0.append(run.id) } }
    }
    #expect(order.withLock { $0 } == [1, 2, 3, 0].map { setup.runs[$0].id })
  }

  @Test(.timeLimit(.minutes(1))) func aRunInUseElsewhereIsLeftAlone() throws {
    let setup = try Setup([.finish])
    let folder = try RunFolder(setup.folder.folder(of: setup.runs[0]), configuration: setup.runs[0].configuration)
    let endings = LocalExecutor(command: setup.command, jobs: 1).perform(setup.runs, in: setup.folder)
    #expect(endings.map(\.ending) == [.held("\(try #require(FolderLock.owner(of: folder.url)))")])
    #expect(setup.text(0, "pid") == nil)
  }

  @Test func aMissingWorkerIsAFailure() throws {
    let setup = try Setup([.finish])
    let endings = LocalExecutor(command: ["/nowhere/valley"], jobs: 1).perform(setup.runs, in: setup.folder)
    guard case .failed(let reason) = endings.first?.ending else {
      Issue.record("\(endings)")
      return
    }
    #expect(reason.contains("cannot start /nowhere/valley: No such file"))
  }

  @Test func threadsAreShared() {
    #expect(LocalExecutor(command: [], jobs: 2, threads: 3).threads == 3)
    #expect(LocalExecutor(command: [], jobs: 1).threads == Machine.processors)
    #expect(LocalExecutor(command: [], jobs: 10_000).threads == 1)
  }
}

@Suite struct StudyTallyTests {
  @Test func timeLeft() throws {
    let runs = (0..<4).map { seed in StudyRun(configuration: RunConfiguration(seeds: .init(seed)), axes: []) }
    let done = RunState(run: runs[0], record: nil, owner: nil, resultCount: 0, problem: nil)
    #expect(done.status == .pending)
    var record = RunRecord(configuration: runs[0].configuration)
    record.status = .done
    let states =
      [RunState(run: runs[0], record: record, owner: nil, resultCount: 2, problem: nil)]
      + runs.dropFirst().map { RunState(run: $0, record: nil, owner: nil, resultCount: 0, problem: nil) }
    var tally = StudyTally(states, cost: { _ in 10 })
    #expect(tally.complete == 1 && tally.total == 4)
    #expect(tally.fraction == 0.25)
    let start = Date()
    #expect(tally.timeLeft(at: start) == nil)
    tally.note(.started(runs[1]), at: start)
    // Half of it was done by an earlier attempt, which says nothing about the speed.
    tally.note(.progress(runs[1], .init(done: 50, total: 100, phase: "trunk")), at: start)
    #expect(tally.timeLeft(at: start) == nil)
    tally.note(.progress(runs[1], .init(done: 60, total: 100, phase: "trunk")), at: start + 10)
    #expect(tally.active[0].timeLeft(at: start + 10) == 40)
    // A tenth of a run in ten seconds; 2.4 runs are left.
    let left = try #require(tally.timeLeft(at: start + 10))
    #expect(abs(left - 240) < 1e-6)
    tally.note(.ended(runs[1], .diverged(step: 3)), at: start + 50)
    tally.note(.started(runs[2]), at: start + 50)
    tally.note(.ended(runs[2], .failed(reason: "no")), at: start + 51)
    #expect(tally.complete == 2 && tally.diverged == [runs[1]] && tally.failed.count == 1 && tally.active.isEmpty)
    #expect(tally.fraction == 0.75)
  }
}
