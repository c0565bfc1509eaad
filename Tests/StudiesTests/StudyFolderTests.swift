import Foundation
import GRDB
import Support
import Testing

@testable import Studies

@Suite struct StudyFolderTests {
  static let yaml = """
    name: small
    description: a, "quoted" study
    dataset: {train: 64, test: 32}
    schedule: {warmup: 0, stable: 2, decay: 1}
    branch: {every: 1}
    sweep: {grid: {optimizer.lr: [0.1, 0.2], model.width: [4]}}
    batch_size: 16
    """

  private func study(_ scratch: Scratch) throws -> StudyFolder {
    try Data(Self.yaml.utf8).write(to: scratch.url("small.yaml"))
    return try StudyFolder(scratch.url("out/small"), for: scratch.url("small.yaml"))
  }

  private func merged(_ gain: Double) -> ResultRow {
    ResultRow(
      kind: .merged, epoch: 1, step: 4, endpoints: [0, 1], method: "linear", alpha: 0.5, batchNorm: "average",
      testAccuracy: 0.5 + gain, testLoss: 1, weightNorm: 3, singleAccuracy: 0.5, singleLoss: 1.25, accuracyGain: gain,
      accuracyGainError: 0.01, lossGain: -0.25, lossGainError: 0.02)
  }

  private func fill(_ folder: StudyFolder) throws {
    let run = try RunFolder(folder.folder(of: folder.study.runs[0]), configuration: folder.study.runs[0].configuration)
    try run.begin(versions: nil)
    for endpoint in 0..<2 {
      try run.append(
        ResultRow(
          kind: .single, epoch: 1, step: 4, endpoints: [endpoint], testAccuracy: 0.5, testLoss: 1.25,
          trainLoss: 0.25 + Double(endpoint), weightNorm: 3))
    }
    try run.append(merged(0.125))
    struct Step: Encodable { let phase = "trunk", step = 1, loss = 2.5 }
    struct Noise: Encodable {
      let kind = "noise", phase = "trunk", step = 1, epoch = 0.25, learningRate = 0.1, gradientNormSquared = 1.0
      let traceCovariance = 2.0, simpleNoiseScale = 2.0, weightNorm = 3.0, effectiveLearningRate = 0.01,
        noiseScale = 0.5
    }
    try run.metrics.append(Step())
    try run.metrics.append(Noise())
    try run.end(.done)
  }

  @Test func resultsComeFromTheFolders() throws {
    let scratch = try Scratch()
    let folder = try study(scratch)
    #expect(try folder.results().runs.map(\.status) == [.pending, .pending])
    try fill(folder)
    let results = try StudyFolder(folder.url).results()
    #expect(results.name == "small" && results.exponent == 1 && results.axes == ["optimizer.lr", "model.width"])
    #expect(results.settings.first { $0.key == "model" }?.value == "ResNet 1-1-1, width 4")
    #expect(results.settings.contains(Setting(key: "batch_size", value: "16")))
    #expect(!results.settings.contains { $0.key == "optimizer.learning_rate" || $0.key == "model.width" })
    let run = results.runs[0]
    #expect(run.status == .done && run.rows.count == 3 && run.learningRate == 0.1)
    #expect(run.settings == [Setting(key: "optimizer.lr", value: "0.1"), Setting(key: "model.width", value: "4")])
    #expect(run.rows[2] == merged(0.125))
    #expect(run.noise.map(\.noiseScale) == [0.5])
    #expect(run.finalTrainLoss == 0.75)
    #expect(abs(run.noiseProxy - 0.1 / 1.6) < 1e-12)
    let decoded = try JSONDecoder().decode(StudyResults.self, from: results.json())
    #expect(decoded == results)
  }

  @Test func exportedAsCSV() throws {
    let scratch = try Scratch()
    let folder = try study(scratch)
    try fill(folder)
    let lines = try folder.results().csv().components(separatedBy: "\r\n")
    #expect(lines.count == 5 && lines[4].isEmpty)
    #expect(
      lines[0].hasPrefix(
        "run,status,learning_rate,batch_size,momentum,weight_decay,seed,noise_proxy_p1,model.width,kind"))
    #expect(
      lines[3].hasSuffix(
        ",4,merged,1.0,4,0+1,,,,linear,0.5,average,0.625,1.0,,,3.0,0.5,1.25,0.125,0.01,-0.25,0.02,"))
    #expect(Set(lines.dropLast().map { $0.split(separator: ",", omittingEmptySubsequences: false).count }) == [31])
  }

  @Test func rowsOfEarlierVersionsAreRead() throws {
    let line = """
      {"accuracyGain":0.125,"accuracyGainError":0.01,"alpha":0.5,"batchNorm":"average","endpoints":[0,1],"epoch":1,\
      "kind":"merged","lossGain":-0.25,"lossGainError":0.02,"method":"linear","singleAccuracy":0.5,"singleLoss":1.25,\
      "step":4,"testAccuracy":0.625,"testLoss":1,"weightNorm":3}
      """
    #expect(try RowFile.makeDecoder().decode(ResultRow.self, from: Data(line.utf8)) == merged(0.125))
  }

  @Test func theIndexIsRebuiltFromTheFolders() throws {
    let scratch = try Scratch()
    let folder = try study(scratch)
    try fill(folder)
    let truth = try folder.results()
    let index = folder.url.appendingPathComponent("index.sqlite")
    try FileManager.default.removeItem(at: index)
    #expect(try folder.results() == truth)
    try Data("this is no database, but long enough to be read as one".utf8).write(to: index)
    #expect(try folder.results() == truth)
    var bytes = try Data(contentsOf: index)
    for offset in stride(from: 4096, to: bytes.count, by: 7) { bytes[offset] = 0xA5 }
    try bytes.write(to: index)
    #expect(try folder.results() == truth)
    try bytes.prefix(5000).write(to: index)
    #expect(try folder.results() == truth)
    // People can ask it, and it leaves no write-ahead log behind.
    let database = try DatabaseQueue(path: index.path)
    let gain = try database.read {
      try Double.fetchOne($0, sql: "SELECT accuracyGain FROM results WHERE kind = 'merged'")
    }
    #expect(gain == 0.125)
    #expect(!FileManager.default.fileExists(atPath: index.path + "-wal"))
    // Where none can be written it is kept in memory.
    try FileManager.default.removeItem(at: index)
    try FileManager.default.createDirectory(
      at: index.appendingPathComponent("in the way"), withIntermediateDirectories: true)
    #expect(try folder.results() == truth || !FileManager.default.fileExists(atPath: index.path))
  }

  @Test func theIndexFollowsTheFolders() throws {
    let scratch = try Scratch()
    let folder = try study(scratch)
    let index = try StudyIndex(folder.url)
    #expect(try folder.states(index).map(\.resultCount) == [0, 0])
    try fill(folder)
    #expect(try folder.states(index).map(\.resultCount) == [3, 0])
    #expect(try folder.states(index)[0].isComplete)
    try FileManager.default.removeItem(at: folder.folder(of: folder.study.runs[0]))
    #expect(try folder.states(index).map(\.resultCount) == [0, 0])
  }

  @Test func oneDamagedRunDoesNotHideTheOthers() throws {
    let scratch = try Scratch()
    let folder = try study(scratch)
    try fill(folder)
    let broken = folder.folder(of: folder.study.runs[1])
    _ = try RunFolder(broken, configuration: folder.study.runs[1].configuration)
    try Data("{}\n".utf8).write(to: broken.appendingPathComponent("results.jsonl"))
    let states = try folder.states(StudyIndex(folder.url))
    #expect(states[0].status == .done)
    guard case .failed(let reason) = states[1].status else {
      Issue.record("\(states[1].status)")
      return
    }
    #expect(reason.contains("results.jsonl: line 1 is not a ResultRow: the key kind is missing"))
  }

  @Test func interruptedRunsAreToldFromRunningOnes() throws {
    let scratch = try Scratch()
    let folder = try study(scratch)
    let run = folder.study.runs[0]
    let owned = try RunFolder(folder.folder(of: run), configuration: run.configuration)
    try owned.begin(versions: nil)
    let running = try folder.states(StudyIndex(folder.url))[0]
    #expect(running.status == .running && running.owner?.process == getpid())
    owned.close()
    let interrupted = try folder.states(StudyIndex(folder.url))[0]
    #expect(interrupted.status == .pending && interrupted.wasInterrupted)
  }

  @Test func aChangedStudyAddsRuns() throws {
    let scratch = try Scratch()
    let folder = try study(scratch)
    try fill(folder)
    let changed = Self.yaml.replacingOccurrences(of: "[0.1, 0.2]", with: "[0.2, 0.3]")
    try Data(changed.utf8).write(to: scratch.url("small.yaml"))
    let reopened = try StudyFolder(folder.url, for: scratch.url("small.yaml"))
    #expect(reopened.undeclared == [folder.study.runs[0].id])
    #expect(try StudyFolder(folder.url).study.runs.map(\.values[0].value) == ["0.2", "0.3"])
    try Data(changed.replacingOccurrences(of: "name: small", with: "name: other").utf8).write(
      to: scratch.url("small.yaml"))
    let error = try #require(throws: RunFolderError.self) {
      try StudyFolder(folder.url, for: scratch.url("small.yaml"))
    }
    #expect(error.description.contains("holds the study small, not other; choose another folder with --out"))
    let none = try #require(throws: RunFolderError.self) { try StudyFolder(scratch.folder) }
    #expect(
      none.description.hasSuffix("is no study folder: it has no study.yaml; `valley study run` makes one"), "\(none)")
  }

  @Test func resultsAreDeletedUnlessInUse() throws {
    let scratch = try Scratch()
    let folder = try study(scratch)
    try fill(folder)
    let owned = try RunFolder(
      folder.folder(of: folder.study.runs[1]), configuration: folder.study.runs[1].configuration)
    let held = try #require(throws: FolderLock.Held.self) { try folder.deleteResults() }
    #expect(held.description.contains("\(folder.study.runs[1].id) is in use by process \(getpid())"), "\(held)")
    #expect(try folder.results().runs[0].rows.count == 3)
    owned.close()
    try folder.deleteResults()
    #expect(try folder.results().runs.map(\.status) == [.pending, .pending])
    #expect(folder.undeclared.isEmpty)
  }
}
