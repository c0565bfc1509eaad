import ArgumentParser
import Foundation
import Testing

@testable import valley

@Suite struct StudyCommandTests {
  @Test func commandsAreFound() throws {
    let run = try #require(
      try Valley.parseAsRoot(["study", "run", "a.yaml", "--jobs", "3", "--threads", "2", "--out", "b"])
        as? StudyRunCommand)
    #expect(run.choice.study == "a.yaml" && run.jobs == 3 && run.threads == 2 && run.out == "b" && !run.fresh)
    #expect((try Valley.parseAsRoot(["study", "list"]) as? StudyListCommand)?.root == nil)
    #expect(
      (try Valley.parseAsRoot(["study", "plan", "fig1", "--scale", "paper"]) as? StudyPlanCommand)?.choice.scale
        == .paper)
    #expect(
      (try Valley.parseAsRoot(["study", "run", "fig1", "--device", "cuda"]) as? StudyRunCommand)?.choice.device
        == "cuda")
    #expect((try Valley.parseAsRoot(["study", "ensemble", "x"]) as? StudyEnsembleCommand)?.endpoints == nil)
    #expect(try Valley.parseAsRoot(["study", "status", "x"]) is StudyStatusCommand)
    #expect(try Valley.parseAsRoot(["study", "plan", "x", "--json"]) is StudyPlanCommand)
    #expect((try Valley.parseAsRoot(["study", "export", "x", "-o", "y"]) as? StudyExportCommand)?.output == "y")
    #expect((try Valley.parseAsRoot(["run-worker", "x", "--watch-input"]) as? RunWorkerCommand)?.watchInput == true)
    #expect(!Valley.helpMessage().contains("run-worker"))
  }

  @Test(arguments: [
    (["study", "run", "a.yaml", "--jobs", "0"], "--jobs is 0; expected 1 … 1024"),
    (["study", "run", "a.yaml", "--threads", "0"], "--threads is 0; expected 1 … 1024"),
    (["study", "run", "a.yaml", "--threads", "-1"], "--threads"),
    (["study", "run"], "<study>"),
    (["study", "export", "x", "--csv", "--json"], "choose one of --csv and --json"),
    (["study", "plan", "x", "--job", "1"], "'--job'"),
    (["study", "plan", "x", "--scale", "huge"], "'huge' is invalid for '--scale <scale>'"),
  ])
  func wrongArgumentsAreRefused(_ arguments: [String], _ words: String) throws {
    let error = try #require(throws: (any Error).self) { try Valley.parseAsRoot(arguments) }
    #expect(Valley.message(for: error).contains(words))
    #expect(Valley.exitCode(for: error) == .validationFailure)
  }

  @Test func settingsAreCalledByTheirOptions() {
    #expect(inOptions("`matchExamples` is 1; expected 2 or more") == "--match-examples is 1; expected 2 or more")
    #expect(inOptions("name it with `model.name` or `model.width`") == "name it with --model or --set model.width=…")
    #expect(inOptions("run them with `valley study run`") == "run them with `valley study run`")
  }
}

@Suite struct ProgressTests {
  @Test func times() {
    #expect([7, 750, 11_045, 183_600].map { clock($0) } == ["0:07", "12:30", "3:04:05", "2 d 03 h"])
    #expect([nil, .infinity, .nan, -1].map { clock($0) } == ["–", "–", "–", "–"])
  }

  @Test func bars() {
    #expect(bar(0.5, width: 4) == "━━──")
    #expect(bar(2, width: 2) == "━━" && bar(.zero, width: 2) == "──" && bar(0.5, width: -3).isEmpty)
  }

  @Test func tablesAreAligned() {
    var table = TextTable(["name", "count", "run"])
    table.rows = [["a", "5", "12ab"], ["long name", "1200", "7"]]
    let lines = table.text.split(separator: "\n").map { $0.replacingOccurrences(of: "\u{1B}[1m", with: "") }
    #expect(lines[0].hasPrefix("name       count  run"))
    #expect(lines[1] == "a              5  12ab")
    #expect(lines[2] == "long name   1200  7")
  }
}
