import Checkpoints
import Foundation
import Merging
import Schema
import Support
import TestSupport
import Testing
import Weights

@testable import Studies

/// Whole runs of a fraction of a second each.
@Suite struct RunExecutionTests {
  private static let data = "{name: glyphs, size: 8, train: 64, test: 48, noise: 0.4, labels: [0, 1, 2, 3]}"
  private static let lengths = """
    batch_size: 16
    optimizer: {lr: 0.05}
    schedule: {warmup: 1, stable: 7, decay: 3}
    branch: {every: 4}
    measure: {noise: none}
    checkpoints: {keep: all}
    """

  private func perform(_ scratch: Scratch, _ yaml: String) throws -> (folder: RunFolder, rows: [ResultRow]) {
    let configuration = try StudyFile.parse(yaml).runs[0].configuration
    let folder = try RunFolder(scratch.url("run"), configuration: configuration)
    #expect(try folder.perform(RunExecution.run, versions: nil, control: .init()) == .finished)
    return (folder, try RowFile.rows(ResultRow.self, in: folder.results.url))
  }

  @Test func everyMethodOnEveryTestSet() throws {
    let scratch = try Scratch()
    let (folder, rows) = try perform(
      scratch,
      """
      dataset: \(Self.data)
      evaluate:
        - name: ood
          dataset:
            {name: glyphs, size: 8, train: 64, test: 32, noise: 0.4, labels: [0, 1, 2, 3], corruption: {noise: 0.2}}
      model: {name: mlp, hidden: [12]}
      merge: {methods: [linear, {name: task_arithmetic, alphas: [0, 0.5]}, {name: ties, density: 0.5, alphas: [1]}]}
      predictions: true
      \(Self.lengths)
      """)
    // At each of two points: two singles, the base, four merges and the ensemble, each on two test sets.
    #expect(rows.count == 2 * 2 * (2 + 1 + 4 + 1))
    #expect(rows.map(\.kind).prefix(8) == [.single, .single, .single, .single, .base, .base, .merged, .merged])
    for evaluation in [nil, "ood"] {
      for step in [16, 32] {
        let here = rows.filter { $0.step == step && $0.evaluation == evaluation }
        func merged(_ method: String, _ alpha: Double) throws -> ResultRow {
          try #require(here.first { $0.method == method && $0.alpha == alpha })
        }
        let base = try #require(here.first { $0.kind == .base })
        #expect(base.alpha == 0 && base.endpoints.isEmpty && base.accuracyGain == nil)
        // α = 0 is the base, and half of both task vectors is the mean.
        #expect(try merged("task_arithmetic", 0).testLoss == base.testLoss)
        #expect(try abs(merged("task_arithmetic", 0.5).testLoss - merged("linear", 0.5).testLoss) < 1e-5)
        #expect(try merged("ties", 1).testLoss != merged("linear", 0.5).testLoss)
        let singles = here.filter { $0.kind == .single }
        #expect(singles.allSatisfy { ($0.trainLoss != nil) == (evaluation == nil) })
        let ensemble = try #require(here.first { $0.kind == .ensemble })
        let mean = singles.map(\.testAccuracy).reduce(0, +) / 2
        #expect(ensemble.endpoints == [0, 1] && ensemble.singleAccuracy == mean)
        #expect(try abs(#require(ensemble.accuracyGain) - (ensemble.testAccuracy - mean)) < 1e-9)

        // What was kept gives the same without the networks.
        let predictions = try Predictions(folder.predictions.appendingPathComponent("\(step).safetensors").path)
        #expect(predictions.endpoints == [0, 1] && predictions.tests == [nil, "ood"])
        let again = try #require(try predictions.ensemble([0, 1], on: evaluation))
        #expect(again.loss == ensemble.testLoss && again.accuracy == ensemble.testAccuracy)
        for single in singles {
          let kept = try #require(try predictions.ensemble(single.endpoints, on: evaluation))
          #expect(abs(kept.loss - single.testLoss) < 2e-3 && kept.accuracy == single.testAccuracy)
        }
        let content = try Safetensors.read(folder.predictions.appendingPathComponent("\(step).safetensors").path)
        let losses = try #require(content.weights["\(evaluation ?? "test")/merged/linear/0+1/0.5/loss"]).array(
          Float.self)
        let loss = losses.reduce(0.0) { $0 + Double($1) } / Double(losses.count)
        #expect(try loss == merged("linear", 0.5).testLoss)
      }
    }
  }

  @Test func statisticsAreAveragedWhateverTheMethod() throws {
    let scratch = try Scratch()
    let (_, rows) = try perform(
      scratch,
      """
      dataset: \(Self.data)
      model: {name: resnet, blocks: [1], width: 4}
      merge: {methods: [linear, {name: task_arithmetic, alphas: [0.5, 4]}]}
      \(Self.lengths)
      """)
    let merged = rows.filter { $0.kind == .merged && $0.step == 32 }
    #expect(abs(merged[0].testLoss - merged[1].testLoss) < 1e-5)
    // Extrapolated variances would be negative by now.
    #expect(merged[2].testLoss.isFinite && merged.allSatisfy { $0.batchNorm == "average" })
  }

  @Test func tasksHaveHeadsOfTheirOwn() throws {
    let scratch = try Scratch()
    let (folder, rows) = try perform(
      scratch,
      """
      tasks:
        datasets:
          - {name: low, dataset: {name: glyphs, size: 8, train: 64, test: 48, noise: 0.3, labels: [0, 1, 2]}}
          - {name: high, dataset: {name: glyphs, size: 8, train: 32, test: 40, noise: 0.3, labels: [5, 6]}}
        learning_rates: [0.02, 0.1]
      model: {name: mlp, hidden: [12]}
      merge: {methods: [linear, {name: task_arithmetic, alphas: [1]}]}
      batch_size: 16
      schedule: {name: warmup-cosine, warmup: 1, length: 6}
      measure: {noise: none}
      checkpoints: {keep: all}
      """)
    // Four singles; four bases, one with each head; four pairs across tasks by two methods: a row a task and one for
    // both.
    #expect(rows.count == 4 + 4 + 4 * 2 * 3)
    let singles = rows.filter { $0.kind == .single }
    #expect(singles.map(\.task) == ["low", "low", "high", "high"] && singles.map(\.evaluation) == singles.map(\.task))
    #expect(singles.map(\.learningRates) == [[0.02], [0.1], [0.02], [0.1]])
    #expect(rows.filter { $0.kind == .base }.map(\.endpoints) == [[0], [1], [2], [3]])
    let pairs = rows.filter { $0.kind == .merged && $0.normalisedAccuracy != nil && $0.method == "linear" }
    #expect(pairs.map(\.endpoints) == [[0, 2], [0, 3], [1, 2], [1, 3]])
    #expect(pairs.map(\.learningRates) == [[0.02, 0.02], [0.02, 0.1], [0.1, 0.02], [0.1, 0.1]])
    for pair in pairs {
      let parts = rows.filter {
        $0.kind == .merged && $0.endpoints == pair.endpoints && $0.method == "linear" && $0.evaluation != nil
      }
      #expect(parts.map(\.evaluation) == ["low", "high"] && pair.evaluation == nil)
      let ratios = zip(parts, pair.endpoints).map { $0.testAccuracy / singles[$1].testAccuracy }
      #expect(try abs(#require(pair.normalisedAccuracy) - ratios.reduce(0, +) / 2) < 1e-12)
      #expect(parts.map(\.singleAccuracy) == pair.endpoints.map { singles[$0].testAccuracy })
    }
    // The heads have as many rows as the tasks have classes, and the bodies learned from one start.
    let weights = try (0..<4).map {
      try Safetensors.read(folder.checkpoints.appendingPathComponent("endpoint-0-\($0).safetensors").path).weights
    }
    let head = try #require(weights[0].names.last { weights[0][$0]?.rank == 2 })
    #expect(weights.map { $0[head]?.shape.first } == [3, 3, 2, 2])
    // An epoch of the second task is half as long.
    let steps = folder.configuration.steps()
    #expect(steps.plans.map(\.steps) == [24, 24, 12, 12] && steps.total == 72 && steps.branches == [0])
  }

  static let transfer = """
    start:
      pretrain:
        dataset: {name: glyphs, size: 8, train: 64, test: 32, labels: [0, 1, 2, 3]}
        length: 6
        optimizer: {lr: 0.1}
    dataset: {name: glyphs, size: 8, train: 64, test: 48, noise: 0.3, labels: [5, 6, 7]}
    model: {name: mlp, hidden: [12]}
    optimizer: {name: adamw, lr: 0.003}
    batch_size: 16
    schedule: {name: warmup-cosine, warmup: 1, length: 4}
    branch: {endpoints: 3}
    merge: {methods: [linear, {name: task_arithmetic, alphas: [0.5]}]}
    measure: {noise: none}
    checkpoints: {keep: all, every: 5 steps}
    """

  @Test func transferStartsFromOnePretrainingForTheWholeStudy() throws {
    let scratch = try Scratch()
    let study = try StudyFolder(
      scratch.url("out"),
      for: StudyDeclaration(text: Self.transfer + "\nseeds: [0, 1]", file: "t.yaml", name: "transfer"))
    var starts: [Weights] = []
    for run in study.study.runs {
      let folder = try RunFolder(study.folder(of: run), configuration: run.configuration)
      #expect(try folder.perform(RunExecution.run, versions: nil, control: .init()) == .finished)
      let rows = try RowFile.rows(ResultRow.self, in: folder.results.url)
      #expect(rows.allSatisfy { $0.step == 0 } && rows.map(\.kind).prefix(4) == [.single, .single, .single, .base])
      let text = try String(contentsOf: folder.metrics.url, encoding: .utf8)
      #expect(text.hasPrefix("{\"kind\":\"note\",\"text\":\"the classifier "), "\(text.prefix(200))")
      starts.append(
        try Checkpoint.read(folder.checkpoints.appendingPathComponent("trunk-0.safetensors").path).weights)
    }
    let kept = try FileManager.default.contentsOfDirectory(atPath: scratch.url("out/starts").path)
      .filter { $0.hasSuffix(".safetensors") }
    #expect(kept.count == 1)
    let content = try Safetensors.read(scratch.url("out/starts/\(kept[0])").path)
    #expect(content.metadata["test_accuracy"] != nil)
    // Both seeds start from it, each with a head of its own.
    let head = try #require(starts[0].names.last { starts[0][$0]?.rank == 2 })
    for name in starts[0].names {
      let (a, b) = try (#require(starts[0][name]), #require(starts[1][name]))
      if name == head {
        #expect(try !a.isIdentical(to: b))
        #expect(a.shape[0] == 3 && content.weights[name]?.shape[0] == 4)
      } else if !head.hasPrefix(name.split(separator: ".").dropLast().joined(separator: ".") + ".") {
        #expect(try a.isIdentical(to: b) && a.isIdentical(to: #require(content.weights[name])))
      }
    }
  }

  @Test func anInterruptedPretrainingGoesOnToTheSameBytes() throws {
    let scratch = try Scratch()
    let configuration = try StudyFile.parse(Self.transfer).runs[0].configuration
    func finish(_ name: String, stoppingAfter steps: Int?) throws -> [Data] {
      let folder = try RunFolder(scratch.url(name), configuration: configuration)
      var outcome = RunOutcome.stopped
      while outcome == .stopped {
        let asked = Counter()
        outcome = try folder.perform(
          RunExecution.run, versions: nil,
          control: .init(shouldStop: { steps.map { asked.add(1) >= $0 } ?? false }))
      }
      let start = try #require(configuration.pretraining).id + ".safetensors"
      return try [folder.starts.appendingPathComponent(start), folder.metrics.url, folder.results.url].map {
        try Data(contentsOf: $0)
      }
    }
    #expect(try finish("cut", stoppingAfter: 12) == finish("whole", stoppingAfter: nil))
  }

  @Test func aFileCanBeTheStart() throws {
    let scratch = try Scratch()
    let (source, _) = try perform(
      scratch, "dataset: \(Self.data)\nmodel: {name: mlp, hidden: [12]}\n\(Self.lengths)")
    let file = source.checkpoints.appendingPathComponent("endpoint-16-1.safetensors").path
    let yaml = """
      start: {file: '\(file)'}
      dataset: {name: glyphs, size: 8, train: 64, test: 48, labels: [4, 5]}
      model: {name: mlp, hidden: [WIDTH]}
      schedule: {name: warmup-cosine, warmup: 1, length: 3}
      batch_size: 16
      checkpoints: {keep: trunk}
      """
    let configuration = try StudyFile.parse(yaml.replacingOccurrences(of: "WIDTH", with: "12")).runs[0].configuration
    let folder = try RunFolder(scratch.url("next"), configuration: configuration)
    #expect(try folder.perform(RunExecution.run, versions: nil, control: .init()) == .finished)
    let start = try Checkpoint.read(folder.checkpoints.appendingPathComponent("trunk-0.safetensors").path).weights
    let given = try Safetensors.read(file).weights
    #expect(try #require(start[given.names[0]]).isIdentical(to: #require(given[given.names[0]])))
    let other = try StudyFile.parse(yaml.replacingOccurrences(of: "WIDTH", with: "13")).runs[0].configuration
    let wrong = try RunFolder(scratch.url("wrong"), configuration: other)
    let error = try #require(throws: FileError.self) {
      try wrong.perform(RunExecution.run, versions: nil, control: .init())
    }
    #expect("\(error)".contains("endpoint-16-1") && "\(error)".contains("expected"), "\(error)")
  }

  @Test(arguments: [
    ("start: {}", "1:8: start: has neither; expected one of {file: …} and {pretrain: {…}}"),
    ("start: {file: a, pretrain: {length: 1}}", "1:8: start: has both"),
    ("start: weights.pt", "1:8: start: is weights.pt; expected a mapping with the keys file, pretrain"),
    ("start: {pretrain: {length: 0}}", "1:28: start.pretrain.length: is 0 epochs; expected a length of some steps"),
    ("start: {pretrain: {optimizer: {lr: -1}}}", "1:36: start.pretrain.optimizer.learning_rate: is -1.0; expected"),
    ("start: {pretrain: {dataset: {size: 9}}}", "1:29: start.pretrain.dataset: has examples of 3×9×9 pixels"),
    ("start: {pretrain: {epochs: 3}}", "1:20: start.pretrain.epochs: is not a key here"),
    ("schedule: {warmup: 0, stable: 0}", "1:31: schedule.stable: makes a trunk of 0 steps"),
    ("tasks: {datasets: [{name: a, dataset: {name: glyphs}}]}", "1:19: tasks.datasets: has 1 tasks; expected 2 … 16"),
    (
      "tasks: {datasets: [{name: a, dataset: {name: glyphs}}, {name: a, dataset: {name: glyphs}}]}",
      "tasks.datasets.1.name: is a, like that of another entry"
    ),
    (
      "tasks: {datasets: [{name: a, dataset: {size: 8}}, {name: b, dataset: {size: 9}}]}",
      "1:70: tasks.datasets.1.dataset: has examples of 3×9×9 pixels"
    ),
    (
      "tasks: {datasets: [{name: a}, {name: b}], learning_rates: [1, 2]}\nbranch: {endpoints: 3}",
      "2:21: branch.endpoints: is 3, but there is one endpoint for each task and learning rate, 4; leave it out"
    ),
    ("evaluate: [{name: a/b, dataset: {labels: [0, 1]}}]", "1:19: evaluate.0.name: is \"a/b\"; expected letters"),
    (
      "evaluate: [{name: ood, dataset: {labels: [0, 1]}}]",
      "evaluate.0.dataset: has 2 classes and the run's own dataset 10"
    ),
    ("evaluate: [{name: ood, datasets: {}}]", "1:24: evaluate.datasets: is not a key here; did you mean `dataset`?"),
    ("evaluate: [3]", "1:12: evaluate: is 3; expected a mapping with the keys name, dataset"),
    ("dataset: {labels: [0, 10]}", "1:19: dataset.labels: expected labels from 0 to 9"),
    ("dataset: {labels: [0]}", "1:19: dataset.labels: names 1 classes; expected 2 or more"),
    ("dataset: {corruption: {noise: 2}}", "1:31: dataset.corruption.noise: is 2.0; expected a number above 0"),
    ("predictions: maybe", "1:14: predictions: is maybe; expected true or false"),
  ])
  func mistakesAreToldWithTheirPlace(_ yaml: String, _ expected: String) throws {
    let error = try #require(throws: YAMLFileError.self) { try StudyFile.parse(yaml) }
    #expect(error.description.contains(expected), "\(error)")
  }

  @Test func sectionsCanBeSwept() throws {
    let study = try StudyFile.parse(
      """
      sweep:
        list:
          - {dataset: {name: glyphs, noise: 0.3}, model: {name: mlp, hidden: [8]}}
          - {dataset: {name: glyphs, noise: 0.6, labels: [0, 1]}, model: {name: resnet}}
        grid: {augmentation: [none, {flip: true, crop: 4}], optimizer.momentum: [0, 0.9]}
      """)
    #expect(study.runs.count == 8)
    let values = study.runs[3].values.map(\.value)
    #expect(values == ["{noise: 0.3}", "{name: mlp, hidden: [8]}", "{flip: true, crop: 4}", "0.9"])
    #expect(study.runs[0].values[2].value == "{flip: false, crop: 0}")
    #expect(study.runs[7].values[0].value == "{noise: 0.6, labels: [0, 1]}")
    #expect(Set(study.runs.map(\.values)).count == 8)
    // A fixed number of steps, whatever the batch size.
    let sizes = try StudyFile.parse(
      "schedule: {warmup: 10 steps, stable: 90 steps, decay: 20 steps}\nbranch: {every: null}\n"
        + "sweep: {grid: {batch_size: [16, 64]}}"
    )
    #expect(sizes.runs.map { $0.configuration.steps().total } == [140, 140])
  }
}
