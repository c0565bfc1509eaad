import Schema
import Testing
import Training

@testable import Studies

@Suite struct FixedSettingTests {
  private func runs(_ text: String, _ settings: (String, String)...) throws -> [RunConfiguration] {
    try StudyFile.parse(text, settings: settings.map { Setting(key: $0.0, value: $0.1) }).runs.map(\.configuration)
  }

  @Test func takeTheFilesPlace() throws {
    let text = "optimizer: {lr: 0.1, momentum: 0.5}\nbatch_size: 32\n"
    let run = try runs(text, ("optimizer.learningRate", "1"), ("batch_size", "64"))[0]
    #expect(run.optimizer == .sgd(SGD(learningRate: 1, momentum: 0.5)) && run.batchSize == 64)
  }

  @Test func valuesAreYAML() throws {
    let run = try runs("", ("optimizer.lr", "0.25"), ("model.blocks", "[2, 1]"), ("measure.noise", "none"))[0]
    #expect(run.optimizer.learningRate == 0.25 && run.model.blocks == [2, 1] && run.measure.noise == nil)
    let seeds = try runs("seeds: [0, 1]", ("seeds", "{order: 3}"))
    #expect(seeds.map(\.seeds) == [.init(initialisation: 0, order: 3, augmentation: 0)])
  }

  @Test func sweptKeysAreFixed() throws {
    let text = "sweep: {grid: {optimizer.lr: [0.1, 0.2], batch_size: [16, 32]}}"
    #expect(try runs(text, ("optimizer.learningRate", "0.3")).map(\.optimizer.learningRate) == [0.3, 0.3])
    #expect(try runs(text, ("optimizer.lr", "0.3"), ("batch_size", "8")).map(\.batchSize) == [8])
  }

  @Test func anotherNameDropsWhatBelongsToTheOld() throws {
    let text = "model: {name: resnet, blocks: [1], width: 4}\ndataset: {name: glyphs, noise: 0.1}"
    let changed = try runs(text, ("model.name", "mlp"), ("dataset.name", "cifar10"))[0]
    #expect(changed.model == .init(name: .mlp) && changed.dataset == .init(name: .cifar10))
    let same = try runs(text, ("model.name", "resnet"), ("dataset.name", "glyphs"))[0]
    #expect(same.model.width == 4 && same.dataset.noise == 0.1)
  }

  @Test(arguments: [
    ("optimizer.lr", "-1", "optimizer.learning_rate: is -1.0; expected a number above 0"),
    ("optimizer.lrr", "1", "optimizer.lrr: is not a key here; did you mean `lr`?"),
    ("optimizer..lr", "1", "optimizer..lr: is no key"), ("", "1", "is no key"),
    ("batch_size.x", "1", "batch_size.x: cannot be set, since batch_size is no mapping here"),
    ("batch_size", "[", "batch_size: is \"[\": this is not YAML"),
    ("batch_size", "lots", "batch_size: is lots; expected a whole number"),
  ])
  func problemsSayWhichSetting(_ key: String, _ value: String, _ words: String) {
    let error = #expect(throws: YAMLFileError.self) {
      try StudyFile.parse("batch_size: 32", settings: [Setting(key: key, value: value)])
    }
    #expect(error?.description.hasPrefix(words) == true || key.isEmpty && error?.description.contains(words) == true)
  }
}
