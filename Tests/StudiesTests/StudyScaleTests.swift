import Foundation
import Schema
import Testing

@testable import Studies

@Suite struct StudyScaleTests {
  static let yaml = """
    name: scaled
    figure: 2b
    title: what it shows
    dataset: {name: glyphs, train: 64, test: 32, size: 8}
    model: {name: resnet, blocks: [1, 1], width: 4}
    optimizer: {name: adamw, lr: 0.01, betas: [0.9, 0.99]}
    schedule: {warmup: 0, stable: 20, decay: 5}
    branch: {every: 10}
    batch_size: 16
    sweep: {grid: {optimizer.lr: [0.1, 0.2, 0.3], batch_size: [16, 32]}}
    seeds: [0, 1]
    scales:
      smoke:
        dataset: {train: 48}
        model: {name: mlp, hidden: [8]}
        optimizer: {name: sgd, momentum: 0.5}
        schedule: {stable: 2}
        branch: {every: 1}
        sweep: {grid: {optimizer.learning_rate: [0.1], batch_size: null}}
        seeds: [7]
      paper:
        seeds: [0, 1, 2]
    """

  @Test func aScaleChangesWhatItNames() throws {
    let study = try StudyFile.parse(Self.yaml)
    #expect(study.scale == .smoke && study.scales == [.smoke, .paper])
    #expect(study.figure == "2b" && study.title == "what it shows")
    #expect(study.axes == ["optimizer.lr"] && study.runs.count == 1)
    let run = study.runs[0].configuration
    #expect(run.dataset == .init(name: .glyphs, train: 48, test: 32, size: 8))
    // Another name takes the place of the whole section.
    #expect(run.model == .init(name: .mlp, hidden: [8]))
    #expect(run.optimizer == .sgd(.init(learningRate: 0.1, momentum: 0.5)))
    #expect(run.schedule.stable == .epochs(2) && run.schedule.decay == .epochs(5))
    #expect(run.seeds == .init(7))

    let paper = try StudyFile.parse(Self.yaml, scale: .paper)
    #expect(paper.runs.count == 3 * 2 * 3 && paper.scale == .paper)
    #expect(paper.runs[0].configuration.model.blocks == [1, 1])
    #expect(try StudyFile.parse(Self.yaml + "\nscale: paper").runs == paper.runs)
    #expect(
      try StudyFile.parse(Self.yaml, settings: [Setting(key: "seeds", value: "5")]).runs[0].configuration.seeds
        == .init(5))
  }

  @Test func aStudyWithoutScalesHasNone() throws {
    let study = try StudyFile.parse("name: plain\ndescription: words")
    #expect(study.scale == nil && study.scales.isEmpty && study.title == "words")
  }

  @Test(arguments: [
    ("scales: [smoke]", "1:9: scales: is a list; expected a mapping with any of smoke, small, paper"),
    ("scales:\n  smole: {}", "2:3: scales.smole: is no scale; did you mean `smoke`?"),
    ("scales:\n  smoke: 3", "2:10: scales.smoke: is 3; expected a mapping with the keys it changes"),
    (
      "scales:\n  smoke:\n    batchsizes: 3",
      "3:5: scales.smoke.batchsizes: is not a key that a scale changes; did you mean `batch_size`?"
    ),
    ("scales:\n  smoke: {name: other}", "2:11: scales.smoke.name: is not a key that a scale changes"),
    ("scale: huge", "1:8: scale: is huge; expected one of smoke, small, paper"),
    ("scale: paper", "1:8: scale: is paper, which the study does not declare; it has no scales"),
    ("scale: paper\nscales: {smoke: {}}", "1:8: scale: is paper, which the study does not declare; it has smoke"),
    // Whichever scale is taken, all are checked, each at its own line.
    ("scales:\n  smoke: {}\n  paper:\n    optimizer: {lr: -1}", "4:21: optimizer.learning_rate: is -1.0; expected"),
    (
      "scales:\n  smoke: {}\n  paper:\n    sweep: {grid: {optimiser.lr: [1]}}",
      "4:20: sweep.grid.optimiser.lr: is not a key that can be swept; did you mean `optimizer.learning_rate`?"
    ),
  ])
  func mistakesAreToldWithTheirPlace(_ yaml: String, _ expected: String) throws {
    let error = try #require(throws: YAMLFileError.self) { try StudyFile.parse(yaml) }
    #expect(error.description.contains("study.yaml:\(expected)"), "\(error)")
  }

  @Test func aScaleThatIsAskedForMustBeThere() throws {
    let error = try #require(throws: YAMLFileError.self) { try StudyFile.parse(Self.yaml, scale: .small) }
    #expect(error.description == "--scale: is small, which the study does not declare; it has smoke, paper")
  }

  @Test func theFolderRemembersTheScale() throws {
    let scratch = try Scratch()
    let declaration = StudyDeclaration(text: Self.yaml, file: "scaled.yaml", name: "scaled")
    let folder = try StudyFolder(scratch.url("out"), for: declaration, scale: .paper)
    let reopened = try StudyFolder(folder.url)
    #expect(reopened.study.scale == .paper && reopened.study.runs == folder.study.runs)
    #expect(try reopened.results().scale == .paper && reopened.results().figure == "2b")
    let error = try #require(throws: RunFolderError.self) { try StudyFolder(folder.url, for: declaration) }
    #expect(error.description.contains("holds the study scaled at scale paper, not at scale smoke"), "\(error)")
    // Written again it is the same text.
    let text = try declaration.text(at: .paper)
    #expect(try StudyDeclaration(text: text, file: "", name: "").text(at: .paper) == text)
    let flow = try #require(throws: YAMLFileError.self) {
      try StudyDeclaration(text: "{scales: {smoke: {}}}", file: "flow.yaml", name: "flow").text(at: .smoke)
    }
    #expect(
      flow.description
        == "flow.yaml:1:1: scale: cannot be added to this file; write its keys one a line, or `scale: smoke` yourself")
  }
}

@Suite struct StudyDeviceTests {
  @Test func everyStudyTakesADevice() throws {
    for declaration in Catalogue.studies {
      let moved = try declaration.on(device: "cuda:1")
      let (before, after) = try (declaration.study(scale: .small), moved.study(scale: .small))
      #expect(after.runs.count == before.runs.count && before.runs.allSatisfy { $0.configuration.device == "cpu" })
      #expect(after.runs.allSatisfy { $0.configuration.device == "cuda:1" }, "\(declaration.name)")
    }
    let one = try #require(Catalogue.studies.first).on(device: "cuda")
    #expect(try StudyFile.parse(one.text(at: .paper)).runs == one.study(scale: .paper).runs)
    #expect(try one.on(device: "cuda").text == one.text && one.on(device: nil).text == one.text)
  }

  @Test func mistakesAreTold() throws {
    func problem(_ text: String, _ device: String) throws -> String {
      let declaration = StudyDeclaration(text: text, file: "s.yaml", name: "s")
      return try #require(throws: YAMLFileError.self) { try declaration.on(device: device) }.description
    }
    #expect(try problem("batch_size: 64\n", "gpu").contains("expected cpu, cuda or cuda:N"))
    #expect(try problem("{batch_size: 64}\n", "cuda").contains("`device: cuda` yourself"))
    let scaled = "scales:\n  smoke: {}\n  small: {device: cpu}\n"
    #expect(try problem(scaled, "cuda").contains("scales.small.device"))
  }
}

@Suite struct CatalogueTests {
  private let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Sources/Studies/Figures").standardizedFileURL

  @Test func holdsEveryFileOfTheFolder() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }
    #expect(files.sorted() == Catalogue.studies.map { $0.name + ".yaml" }.sorted())
    for study in Catalogue.studies {
      let text = try String(contentsOf: folder.appendingPathComponent(study.name + ".yaml"), encoding: .utf8)
      #expect(study.text == text, "\(study.name)")
    }
  }

  @Test func everyStudyCanBeRunAtEveryScale() throws {
    for declaration in Catalogue.studies {
      for scale in StudyScale.allCases {
        let study = try declaration.study(scale: scale)
        #expect(study.name == declaration.name && study.figure != nil && !study.title.isEmpty && !study.runs.isEmpty)
        #expect(try StudyFile.parse(declaration.text(at: scale)).runs == study.runs)
      }
    }
  }

  @Test func studiesAreFoundByName() {
    #expect(Catalogue.named("fig1").map(\.name) == ["fig1"] && Catalogue.named("FIG1").count == 1)
    #expect(Catalogue.named("fig").isEmpty && Catalogue.named("").isEmpty && Catalogue.named("fig999").isEmpty)
    #expect(Catalogue.nearest(to: "figg1") == "fig1")
  }
}
