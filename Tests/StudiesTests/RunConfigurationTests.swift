import Foundation
import Testing
import Training

@testable import Studies

@Suite struct RunConfigurationTests {
  @Test func canonicalJSONIsFixed() {
    // A change here renames every run folder there is: existing results would be trained again.
    let json = String(decoding: RunConfiguration().canonicalJSON, as: UTF8.self)
    #expect(
      json == """
        {"augmentation":{"crop":0,"flip":false},"batchSize":128,"branch":{"endpoints":2,"every":"5 epochs"},\
        "checkpoints":{"every":"1 epoch","keep":"endpoints"},"dataset":{"classes":10,"name":"glyphs","noise":0.5,\
        "seed":0,"test":2000,"train":4000},"device":"cpu","measure":{"momentumExponent":1,"noise":{"every":"100 steps",\
        "microbatches":8}},"merge":{"alphas":[0.5],"batchNorm":"average"},"model":{"blocks":[1,1,1],"name":"resnet",\
        "stem":"cifar","width":8},"optimizer":{"decoupledWeightDecay":false,"learningRate":0.1,"momentum":0.9,\
        "nesterov":false,"weightDecay":0.0005},"precision":"bfloat16","schedule":{"decay":"6 epochs",\
        "name":"warmup-stable-decay","shape":"1-sqrt","stable":"25 epochs","warmup":"1 epoch"},\
        "seeds":{"augmentation":0,"initialisation":0,"order":0}}
        """)
    #expect(RunConfiguration().id == "4b5caa55e7dd")
  }

  @Test func codingRoundTrips() throws {
    var configuration = RunConfiguration(model: .init(name: .mlp, hidden: [3, 4]))
    configuration.optimizer.learningRate = 0.1 + 0.2
    configuration.schedule.stable = .epochs(0.1)
    let decoded = try JSONDecoder().decode(RunConfiguration.self, from: configuration.canonicalJSON)
    #expect(decoded == configuration)
    #expect(decoded.id == configuration.id)
    #expect(decoded.id != RunConfiguration().id)
  }

  @Test func valuesByKey() {
    let configuration = RunConfiguration()
    #expect(configuration.value(at: "optimizer.lr") == "0.1")
    #expect(configuration.value(at: "optimizer.weight_decay") == "0.0005")
    #expect(configuration.value(at: "optimizer.nesterov") == "false")
    #expect(configuration.value(at: "batch_size") == "128")
    #expect(configuration.value(at: "model.blocks") == "[1, 1, 1]")
    #expect(configuration.value(at: "schedule.stable") == "25 epochs")
    #expect(configuration.value(at: "augmentation") == "{crop: 0, flip: false}")
    #expect(configuration.value(at: "dataset.size") == "null")
  }

  @Test func proxyOfTheNoiseScale() {
    var configuration = RunConfiguration(optimizer: .sgd(SGD(learningRate: 0.3, momentum: 0.9)), batchSize: 30)
    #expect(abs(configuration.noiseProxy - 0.1) < 1e-12)
    configuration.measure.momentumExponent = 2
    #expect(abs(configuration.noiseProxy - 1) < 1e-12)
  }

  @Test func stepsOfARun() {
    var configuration = RunConfiguration()
    var steps = configuration.steps()
    #expect(steps.perEpoch == 31)  // 4000 / 128, the last 32 examples left out
    #expect(steps.schedule.trunkSteps == 26 * 31)
    #expect(steps.branches == [155, 310, 465, 620, 775])
    #expect(steps.total == 775 + 5 * 2 * 6 * 31)
    configuration.branch = .init(every: .epochs(0.5), from: .epochs(25))
    #expect(configuration.steps().branches == [775, 791, 806])  // 790.5 rounded by itself
    configuration.branch = .init(every: .steps(400), from: .steps(0))
    steps = configuration.steps()
    #expect(steps.branches == [0, 400, 800])
    configuration.schedule = .init(name: .constant, stable: .steps(10), decay: .steps(4))
    configuration.branch = .init(every: nil)
    steps = configuration.steps()
    #expect(steps.branches == [10])
    #expect(steps.schedule.learningRate(atStep: 13) == 0.1)
    #expect(configuration.problems.isEmpty)
  }

  @Test func impossibleValuesAreRefusedWithoutYAML() throws {
    var configuration = RunConfiguration()
    configuration.optimizer.learningRate = .nan
    configuration.batchSize = 0
    configuration.merge.alphas = [.infinity]
    configuration.device = "cuda:-1"
    let error = try #require(throws: InvalidConfiguration.self) { try configuration.validate() }
    #expect(error.problems.map(\.keyPath) == ["batch_size", "device", "optimizer.learning_rate", "merge.alphas"])
    #expect(configuration.id.count == 12)
  }
}
