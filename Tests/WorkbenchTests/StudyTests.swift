import Foundation
import Studies
import Testing
import Workbench

@Suite struct StudyTests {
  private static let text = """
    name: turn
    dataset: {name: glyphs, size: 8, train: 64, test: 64, noise: 0.4}
    model: {name: mlp, hidden: [8]}
    optimizer: {lr: 0.05}
    batch_size: 16
    schedule: {warmup: 1 epochs, stable: 2 epochs, decay: 1 epochs}
    branch: {every: 1 epochs}
    measure: {noise: null}
    """

  @Test func findsWhereTheHillTurnsIntoAValley() throws {
    let place = try Workplace()
    let study = try StudyFile.parse(Self.text)
    let finder = TransitionFinder(points: 3)
    let heard = Heard()
    let found = try finder.find(study, keptIn: place.scratch.url("out"), report: heard.listener)
    #expect(found.study == "turn" && found.budgetEpochs == 4 && found.transitionEpochs.count == 2)
    #expect(found.branches.count == heard.notes.count && found.trainedSteps <= found.sweepSteps)
    #expect(found.branches.allSatisfy { $0.paths.count == 1 && $0.height.value == $0.paths[0].height })
    // Everything is there already.
    let again = Heard()
    let same = try finder.find(study, keptIn: place.scratch.url("out"), report: again.listener)
    #expect(same.branches.map(\.height) == found.branches.map(\.height) && again.stages.isEmpty)

    #expect(refusal { try TransitionFinder(points: 4).check() } == "`points` is 4; expected an odd number, 3 or more")
    let swept = try StudyFile.parse(Self.text, settings: [Setting(key: "optimizer.lr", value: "0.1")])
    let epochs = TransitionFinder(branchEpochs: [1, 9])
    let late = refusal { _ = try epochs.find(swept, keptIn: place.scratch.url("late")) }
    #expect(late.contains("`branchEpochs` is 1,9; expected two or more different epochs from 1"), "\(late)")
    let grid = try StudyFile.parse(Self.text + "\nsweep: {grid: {optimizer.lr: [0.1, 0.2]}}")
    let several = refusal { _ = try finder.find(grid, keptIn: place.scratch.url("grid")) }
    #expect(several.contains("one setting has one transition; choose it with `optimizer.lr`"), "\(several)")
  }

  @Test func plansAStudy() throws {
    let study = try StudyFile.parse(Self.text + "\nsweep: {grid: {optimizer.lr: [0.1, 0.2]}}\nseeds: [0, 1]")
    let plan = StudyPlan(study, jobs: 2, isTimed: false)
    #expect(plan.runs == 4 && plan.jobs == 2 && plan.seconds == nil && plan.unmeasured == nil)
    #expect(plan.settings.map(\.runs.count) == [2, 2] && plan.settings[0].values == ["optimizer.lr": "0.1"])
    #expect(plan.steps == plan.settings.reduce(0) { $0 + 2 * $1.stepsPerRun })
  }

  @Test func ensemblesOfARun() throws {
    let place = try Workplace()
    let run = try place.run()
    let gains = try EnsembleGain.all(in: run)
    #expect(gains.count == 1 && gains[0].endpoints == [0, 1] && gains[0].step == 5)
    #expect(abs(gains[0].accuracy - gains[0].singleAccuracy - gains[0].accuracyGain) < 1e-9)
    let missing = refusal { _ = try EnsembleGain.all(in: run, members: [0, 7]) }
    #expect(missing.contains("has no probabilities of endpoint 7; it has 0, 1"), "\(missing)")
    #expect(refusal { _ = try EnsembleGain.all(in: run, members: []) }.contains("without members"))
  }
}
