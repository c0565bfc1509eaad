import Foundation
import Schema
import Support
import Testing
import Training

@testable import Studies

@Suite struct StudyFileTests {
  static let full = """
    name: demo
    description: one sentence
    dataset: {name: glyphs, path: null, train: 4000, test: 2000, size: null, classes: 10, noise: 0.5, seed: 0}
    model: {name: resnet, blocks: [1, 1, 1], width: 8, stem: cifar}
    optimizer: {name: sgd, lr: 0.1, momentum: 0.9, nesterov: false, weight_decay: 5e-4, decoupled: false}
    batch_size: 128
    augmentation: {flip: true, crop: 2}
    precision: bfloat16
    device: cpu
    schedule: {name: warmup-stable-decay, warmup: 1 epochs, stable: 25 epochs, decay: 6 epochs, shape: 1-sqrt}
    branch: {every: 5 epochs, from: null, endpoints: 2}
    merge: {alphas: [0.5], batchnorm: average, batchnorm_samples: null}
    measure: {noise: {every: 100 steps, microbatches: 8}, momentum_exponent: 1}
    checkpoints: {every: 1 epochs, keep: endpoints}
    sweep: {grid: {optimizer.lr: [0.01, 0.1], batch_size: [32, 128]}}
    seeds: [0, {initialisation: 1, order: 2, augmentation: 3}]
    """

  private func failure(_ yaml: String) throws -> YAMLFileError {
    try #require(throws: YAMLFileError.self) { try StudyFile.parse(yaml) }
  }

  @Test func everyKeyIsRead() throws {
    let study = try StudyFile.parse(Self.full)
    #expect(study.name == "demo")
    #expect(study.description == "one sentence")
    #expect(study.axes == ["optimizer.lr", "batch_size"])
    #expect(study.runs.count == 8)
    var expected = RunConfiguration(
      dataset: .init(name: .glyphs), model: .init(name: .resnet, blocks: [1, 1, 1], width: 8, stem: .cifar),
      optimizer: .sgd(SGD(learningRate: 0.01)), batchSize: 32, augmentation: .init(flip: true, crop: 2),
      precision: .bfloat16)
    #expect(study.runs[0].configuration == expected)
    expected.seeds = .init(initialisation: 1, order: 2, augmentation: 3)
    #expect(study.runs[1].configuration == expected)
    #expect(study.runs[2].configuration.batchSize == 128)
    #expect(study.runs[4].configuration.optimizer.learningRate == 0.1)
    #expect(study.runs[1].label == "lr=0.01 batch_size=32 seed=1/2/3")
    #expect(Set(study.runs.map(\.id)).count == 8)
  }

  @Test func anEmptyFileIsAllDefaults() throws {
    let study = try StudyFile.parse("", name: "fallback")
    #expect(study.name == "fallback")
    #expect(study.runs.map(\.configuration) == [RunConfiguration()])
    #expect(RunConfiguration().problems.isEmpty)
  }

  @Test func noneAndNullTurnThingsOff() throws {
    let run = try StudyFile.parse("{augmentation: none, measure: {noise: none}, branch: {every: null}}").runs[0]
    #expect(run.configuration.augmentation == .none)
    #expect(run.configuration.measure.noise == nil)
    #expect(run.configuration.branch.every == nil)
    #expect(run.configuration.steps().branches == [31 * 26])
  }

  @Test func spellingsOfAKeyAreOne() throws {
    for key in ["lr", "learning_rate", "learningRate", "learning-rate"] {
      let study = try StudyFile.parse("{optimizer: {\(key): 0.3}, sweep: {grid: {batchSize: [16]}}}")
      #expect(study.runs[0].configuration.optimizer.learningRate == 0.3)
      #expect(study.runs[0].configuration.batchSize == 16)
    }
  }

  @Test func sweepsCombine() throws {
    let study = try StudyFile.parse(
      """
      sweep:
        zip: {optimizer.lr: [0.1, 0.2], batch_size: [32, 64]}
        list: [{model: {name: mlp, hidden: [8]}}, {model: {name: resnet}}]
        grid: {schedule.decay: [3 epochs, 10 steps], augmentation: [none, {flip: true, crop: 1}]}
      """)
    #expect(study.runs.count == 2 * 2 * 4)
    #expect(study.axes == ["optimizer.lr", "batch_size", "model", "schedule.decay", "augmentation"])
    let last = study.runs[15]
    #expect(last.values.map(\.value).prefix(2) == ["0.2", "64"])
    #expect(last.configuration.model == .init(name: .resnet))
    #expect(last.configuration.schedule.decay == .steps(10))
    #expect(last.configuration.augmentation == .init(flip: true, crop: 1))
    #expect(study.runs[0].configuration.precision == .float32)
  }

  @Test func aSweptSectionIsCutDownToWhatChangesWithItsName() throws {
    let study = try StudyFile.parse(
      "sweep: {grid: {augmentation: [none, {flip: false, crop: 1}]}}")
    #expect(study.runs.map { $0.values[0].value } == ["{crop: 0}", "{crop: 1}"])
  }

  /// YAML, and the start of the error: place, key and what matters of the text.
  @Test(arguments: [
    ("a: 1\nbatch_size: 5\n", "1:1: a: is not a key here"),
    ("optimiser: {lr: 1}", "1:1: optimiser: is not a key here; did you mean `optimizer`?"),
    ("optimizer:\n  lr: 0.1\n  momemtum: 0.9", "3:3: optimizer.momemtum: is not a key here; did you mean `momentum`?"),
    ("optimizer: {lr: -0.1}", "1:17: optimizer.learning_rate: is -0.1; expected a number above 0"),
    ("optimizer: {lr: fast}", "1:17: optimizer.learning_rate: is fast; expected a finite number"),
    ("optimizer: {lr: '0.1'}", "1:17: optimizer.learning_rate: is the text \"0.1\"; expected a finite number"),
    ("optimizer: {lr: .inf}", "1:17: optimizer.learning_rate: is .inf; expected a finite number"),
    ("optimizer: {lr: nan}", "1:17: optimizer.learning_rate: is nan; expected a finite number"),
    ("optimizer: {momentum: 1}", "1:23: optimizer.momentum: is 1.0; expected at least 0 and below 1"),
    ("optimizer: [1]", "1:12: optimizer: is a list; expected a mapping with the keys name"),
    ("optimizer: {lr: 1, learning_rate: 2}", "1:20: optimizer.learning_rate: is given more than once"),
    ("batch_size: 1\nbatch_size: 2", "1:1: batch_size: is given more than once"),
    ("batch_size: 4001", "1:13: batch_size: is 4001, larger than the training set of 4000 examples"),
    ("batch_size: 1.5", "1:13: batch_size: is 1.5; expected a whole number"),
    ("dataset: {name: cifar10, train: 60000}", "1:33: dataset.train: is 60000, but cifar10 has only 50000 examples"),
    ("dataset: {name: cifra10}", "1:17: dataset.name: is cifra10; expected one of glyphs"),
    ("schedule: {decay: 0}", "1:19: schedule.decay: is 0 epochs; expected a length above 0"),
    ("schedule: {stable: a while}", "1:20: schedule.stable: is a while; expected a length such as"),
    ("schedule: {shape: cosin}", "did you mean `cosine`?"),
    ("branch: {endpoints: 1}", "1:21: branch.endpoints: is 1; expected a whole number between 2 and 64"),
    ("branch: {every: 40 epochs}", "1:17: branch.every: leaves no branch point"),
    ("merge: {alphas: [0.5, 1.5]}", "1:17: merge.alphas: has 1.5; expected 0 … 1"),
    ("merge: {alphas: []}", "1:17: merge.alphas: is empty"),
    ("sweep: {grid: {optimizer.lrr: [1]}}", "1:16: sweep.grid.optimizer.lrr: is not a key that can be swept"),
    ("sweep: {grid: {seeds: [1]}}", "1:16: sweep.grid.seeds: is not a key that can be swept"),
    ("sweep: {grid: {batch_size: []}}", "1:28: sweep.grid.batch_size: is empty"),
    ("sweep: {grid: {batch_size: 32}}", "1:28: sweep.grid.batch_size: is 32; expected a list"),
    ("sweep: {grid: {batch_size: [32, -1]}}", "1:33: batch_size: is -1; expected a whole number of at least 1"),
    ("sweep: {zip: {batch_size: [1, 2], optimizer.lr: [1]}}", "1:14: sweep.zip: has lists of different lengths"),
    ("sweep: {list: [{batch_size: 8}, {optimizer.lr: 1}]}", "1:33: sweep.list: has other keys"),
    ("sweep: {grid: {batch_size: [8, 8]}}", "1:32: sweep: makes the run batch_size=8 seed=0 more than once"),
    ("augmentation: none\nsweep: {grid: {augmentation.crop: [1]}}", "1:15: augmentation: must be a mapping"),
    ("seeds: [1, 1]", "1:12: seeds: names the same seed more than once"),
    ("seeds: []", "1:8: seeds: is empty"),
    ("seeds: [-1]", "1:9: seeds: has -1"),
    ("name: ../etc", "1:7: name: is \"../etc\"; expected letters"),
    ("optimizer:\n\tlr: 1", "2:1: a tab in the indentation"),
    ("optimizer: {lr: 1", "this is not YAML"),
    ("x: *y", "1:4: this is not YAML: found undefined alias"),
    ("device: gpu", "1:9: device: is \"gpu\"; expected cpu, cuda or cuda:N"),
    ("- 1", "1:1: is a list; expected a mapping"),
    ("a: 1\n---\nb: 2", "this is not YAML"),
    ("? [a]\n: 1", "1:3: a list or mapping as a key"),
  ])
  func errorsNameThePlace(_ yaml: String, _ expected: String) throws {
    let text = try failure(yaml).description
    #expect(text.contains(expected), "\(text)")
    #expect(text.hasPrefix("study.yaml:"))
  }

  @Test func allErrorsAreListedInOrder() throws {
    let error = try failure("batch_size: x\nmodel: {widht: 3}\noptimizer: {lr: y}\nsweep: {grid: {foo: [1]}}\nseeds: z")
    #expect(error.problems.map(\.line) == [1, 2, 3, 4, 5], "\(error)")
  }

  @Test func formAndValuesAreCheckedTogether() throws {
    let error = try failure("batch_size: 99999\noptimizer:\n  lr: -1\n  momentm: 0.9\nmodel: {width: wide}\n")
    #expect(error.problems.map(\.line) == [1, 3, 4, 5], "\(error)")
  }

  @Test func filesThatCannotBeRead() throws {
    let scratch = try Scratch()
    let missing = try #require(throws: FileError.self) { try StudyFile.read(scratch.url("none.yaml")) }
    #expect(missing.description.contains("cannot read") && missing.description.contains("none.yaml: No such file"))
    try Data([0x61, 0xFF, 0xFE]).write(to: scratch.url("bad.yaml"))
    let bad = try #require(throws: YAMLFileError.self) { try StudyFile.read(scratch.url("bad.yaml")) }
    #expect(bad.description.contains("bad.yaml:1:1: the file is not UTF-8 text"))
  }

  @Test func hostileFilesAreRefusedQuickly() throws {
    var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1...30 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
      bomb += "a\(level): &a\(level) [\(aliases)]\n"
    }
    let deepFlow = String(repeating: "[", count: 100_000)
    let deepBlock = (0..<2000).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
    let dashes = String(repeating: "- ", count: 100_000)
    let grid =
      "sweep: {grid: {batch_size: [" + (1...3000).map(String.init).joined(separator: ",") + "], "
      + "optimizer.lr: [" + (1...3000).map(String.init).joined(separator: ",") + "]}}"
    let start = ContinuousClock.now
    for text in [bomb, deepFlow, deepBlock, dashes, grid, String(repeating: "a", count: 2_000_000)] {
      _ = try failure(text)
    }
    #expect(ContinuousClock.now - start < .seconds(20))
    let aliased = try StudyFile.parse("schedule: {stable: &length 7 epochs, decay: *length}").runs[0].configuration
    #expect(aliased.schedule.decay == .epochs(7))
  }

  /// Seeded mutations of a valid study are read or refused; they never crash or hang, and whatever is read can be run.
  @Test func mutationsNeverCrash() {
    var random = SplitMix(state: 7)
    let source = Array(Self.full.utf8)
    let pieces = [
      "\t", "[", "{", "}", "]", ":", ": ", "- ", "&a ", "*a", "!!int ", "|", ">", "'", "\"", "#", "null", "-1", "1e400",
      "\n",
      "? ", "\u{0}", "é", "%", "@", "---\n", "...", "<<: ", "0x10", "9223372036854775808", "~",
    ].map { Array($0.utf8) }
    var accepted = 0
    let rounds = ProcessInfo.processInfo.environment["VALLEY_FUZZ_ROUNDS"].flatMap(Int.init) ?? 500
    for _ in 0..<rounds {
      var bytes = source
      for _ in 0..<(1 + Int(random.next() % 4)) {
        let position = Int(random.next() % UInt64(bytes.count))
        switch random.next() % 4 {
        case 0: bytes.remove(at: position)
        case 1: bytes[position] = UInt8(truncatingIfNeeded: random.next())
        case 2: bytes.insert(contentsOf: pieces[Int(random.next() % UInt64(pieces.count))], at: position)
        default:
          let end = min(bytes.count, position + Int(random.next() % 40))
          bytes.insert(contentsOf: bytes[position..<end], at: Int(random.next() % UInt64(bytes.count)))
        }
      }
      guard let study = try? StudyFile.parse(String(decoding: bytes, as: UTF8.self)) else { continue }
      accepted += 1
      #expect(study.runs.allSatisfy { $0.configuration.problems.isEmpty && $0.configuration.steps().total > 0 })
    }
    #expect(accepted > 3)
  }
}

/// A small seeded generator (SplitMix64).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
