import Foundation
import Schema
import Testing
import Training

@testable import Studies

@Suite struct OptimizerConfigurationTests {
  static let transfer = """
    optimizer:
      {name: adamw, lr: 3e-4, betas: [0.9, 0.95], eps: 1e-6, weight_decay: 0.1, exempt_norms_and_biases: yes, clip: 1}
    schedule: {name: warmup-cosine, warmup: 1 epochs, length: 20 epochs, final: 0.1}
    loss: {label_smoothing: 0.1}
    freeze: [layer1, conv1]
    only: [layer1, layer2, fc]
    """

  private func run(_ yaml: String, _ settings: (String, String)...) throws -> RunConfiguration {
    try StudyFile.parse(yaml, settings: settings.map { Setting(key: $0.0, value: $0.1) }).runs[0].configuration
  }

  @Test func everyKeyIsRead() throws {
    let configuration = try run(Self.transfer)
    let adamW = AdamW(
      learningRate: 3e-4, betas: .init(0.9, 0.95), epsilon: 1e-6, weightDecay: 0.1, exemptNormsAndBiases: true, clip: 1)
    #expect(configuration.optimizer == .adamW(adamW))
    #expect(configuration.loss == CrossEntropy(labelSmoothing: 0.1))
    #expect(configuration.trained == TrainedParameters(only: ["layer1", "layer2", "fc"], freeze: ["layer1", "conv1"]))
    let plan = WarmupCosine(warmup: .epochs(1), length: .epochs(20), final: 0.1)
    let steps = configuration.steps()
    #expect(steps.schedule == Schedule(plan, learningRate: 3e-4, stepsPerEpoch: 31))
    #expect(steps.branches == [0] && steps.trunk == 0 && steps.endpoint == 620 && steps.total == 2 * 620)
    #expect(try run("optimizer: {name: adamw}").optimizer == .adamW())
    #expect(try run("optimizer: {clip: 0.5}").optimizer == .sgd(SGD(clip: 0.5)))
  }

  @Test func codingRoundTrips() throws {
    let configuration = try run(Self.transfer)
    let json = configuration.canonicalJSON
    #expect(try JSONDecoder().decode(RunConfiguration.self, from: json) == configuration)
    // A run's configuration can be read as a study.
    #expect(try run(String(decoding: json, as: UTF8.self)) == configuration)
    for name in ["sgd", "adamw"] {
      let optimizer = try run("optimizer: {name: \(name), clip: 2}").optimizer
      #expect(optimizer.name.rawValue == name)
      #expect(try JSONDecoder().decode(Optimizer.self, from: JSONEncoder().encode(optimizer)) == optimizer)
    }
    // What is there by default is the same run, said or not.
    let said = "{optimizer: {name: sgd, clip: null}, loss: {label_smoothing: 0}, freeze: [], only: null}"
    #expect(try run(said).id == RunConfiguration().id)
  }

  @Test func valuesByKey() throws {
    let configuration = try run(Self.transfer)
    let expected = [
      "optimizer.name": "adamw", "optimizer.betas": "[0.9, 0.95]", "optimizer.eps": "1e-06", "optimizer.clip": "1",
      "optimizer.exempt_norms_and_biases": "true", "loss.label_smoothing": "0.1", "freeze": "[layer1, conv1]",
      "schedule.length": "20 epochs", "schedule.final": "0.1", "optimizer.momentum": "null",
    ]
    for (key, value) in expected { #expect(configuration.value(at: key) == value, "\(key)") }
    #expect(RunConfiguration().value(at: "optimizer.name") == "sgd")
    #expect(RunConfiguration().value(at: "loss.label_smoothing") == "0")
    let swept = try StudyFile.parse("sweep: {grid: {optimizer.name: [sgd, adamw], loss.label_smoothing: [0, 0.1]}}")
    #expect(
      swept.runs.map { $0.values.map(\.value) } == [["sgd", "0"], ["sgd", "0.1"], ["adamw", "0"], ["adamw", "0.1"]])
  }

  @Test func proxies() throws {
    let configuration = try run("{optimizer: {name: adamw, lr: 1e-3}, batch_size: 100}")
    #expect(abs((configuration.adamProxy ?? 0) - 1e-4) < 1e-18)
    #expect(abs(configuration.noiseProxy - 1e-5) < 1e-18)
    #expect(RunConfiguration().adamProxy == nil)
  }

  @Test func anotherNameDropsWhatBelongsToTheOld() throws {
    let text = "optimizer: {momentum: 0.5, lr: 3}\nschedule: {stable: 3 epochs, shape: linear}\nbranch: {every: null}"
    let changed = try run(
      text, ("optimizer.lr", "0.01"), ("schedule.name", "warmup-cosine"), ("optimizer.name", "adamw"))
    #expect(changed.optimizer == .adamW(AdamW(learningRate: 0.01)))
    #expect(changed.schedule == .init(name: .warmupCosine))
    #expect(try run(text, ("optimizer.name", "sgd")).optimizer == .sgd(SGD(learningRate: 3, momentum: 0.5)))
  }

  @Test(arguments: [
    ("optimizer: {name: adam}", "1:19: optimizer.name: is adam; expected one of sgd, adamw; did you mean `adamw`?"),
    ("optimizer: {name: adamw, momentum: 0.9}", "1:36: optimizer.momentum: belongs to sgd; adamw has betas, epsilon"),
    ("optimizer: {betas: [0.9, 0.99]}", "1:20: optimizer.betas: belongs to adamw; sgd has momentum, nesterov"),
    (
      "optimizer: {name: adamw, betas: [0.9]}",
      "1:33: optimizer.betas: has 1 number; expected two, such as [0.9, 0.999]"
    ),
    ("optimizer: {name: adamw, betas: [0.9, 1]}", "1:33: optimizer.betas: has 1.0; expected two numbers of at least 0"),
    ("optimizer: {name: adamw, betas: [a, 1]}", "optimizer.betas: is a; expected a finite number"),
    ("optimizer: {name: adamw, eps: 0}", "1:31: optimizer.epsilon: is 0.0; expected a number above 0, such as 1e-8"),
    ("optimizer: {name: adamw, lr: 20, weight_decay: 0.1}", "times the learning rate is 2.0; decoupled weight decay"),
    ("optimizer: {clip: 0}", "1:19: optimizer.clip: is 0.0; expected a number above 0"),
    ("loss: {label_smoothing: 1}", "1:25: loss.label_smoothing: is 1.0; expected 0 or more and below 1"),
    ("loss: {smoothing: 1}", "1:8: loss.smoothing: is not a key here"),
    ("freeze: [{a: 1}]", "1:10: freeze: is a mapping; expected a text"),
    ("freeze: ['']", "freeze: has an empty name; expected parts of the network, such as layer1"),
    ("schedule: {name: warmup-cosine, stable: 5}", "schedule.stable: belongs to schedules with a trunk"),
    ("schedule: {name: warmup-cosine, shape: linear}", "schedule.shape: belongs to warmup-stable-decay"),
    ("schedule: {name: warmup-cosine, final: 2}", "schedule.final: is 2.0; expected a fraction of the peak"),
    ("schedule: {name: warmup-cosine, length: 0}", "schedule.length: is 0 epochs; expected a length above 0"),
    ("schedule: {name: warmup-cosine, warmup: 3, length: 3}", "schedule.warmup: is 3 epochs, which leaves nothing"),
    ("schedule: {length: 5}", "1:20: schedule.length: belongs to warmup-cosine; warmup-stable-decay has none"),
    (
      "schedule: {name: warmup-cosine}\nbranch: {every: 2 epochs}",
      "2:17: branch.every: is 2 epochs, but warmup-cosine has no trunk: its endpoints branch at step 0; leave it out"
    ),
  ])
  func errorsNameThePlace(_ yaml: String, _ expected: String) throws {
    let error = try #require(throws: YAMLFileError.self) { try StudyFile.parse(yaml) }
    #expect(error.description.contains(expected), "\(error)")
  }
}
