import Networks
import Testing
import Torch
import Training

@Suite struct TrainedParametersTests {
  @Test func namesStandForWholeParts() {
    let frozen = TrainedParameters(freeze: ["layer1", "fc.bias"])
    #expect(!frozen.contains("layer1.0.conv1.weight") && !frozen.contains("fc.bias"))
    #expect(
      frozen.contains("layer10.0.conv1.weight") && frozen.contains("fc.weight") && frozen.contains("conv1.weight"))
    let head = TrainedParameters(only: ["fc", "layer2."], freeze: ["layer2.0"])
    #expect(head.contains("fc.weight") && head.contains("layer2.1.bn1.bias") && !head.contains("layer2.0.bn1.bias"))
    #expect(!head.contains("conv1.weight"))
  }

  @Test func theNamesOfANetwork() throws {
    let network = try Samples.network(.resnet)
    let all = network.parameters().filter(\.parameter.isTrainable).map(\.name)
    #expect(try TrainedParameters.all.parameters(of: network).map(\.name) == all)
    #expect(try TrainedParameters(only: ["fc"]).parameters(of: network).map(\.name) == ["fc.weight", "fc.bias"])
    let rest = try TrainedParameters(freeze: ["fc"]).parameters(of: network).map(\.name)
    #expect(rest == all.filter { !$0.hasPrefix("fc.") })
  }

  @Test(arguments: [
    (
      TrainedParameters(freeze: ["layr1"]), "freeze: the network has no parameter layr1",
      "conv1, bn1, layer1, layer2, fc"
    ),
    (TrainedParameters(only: ["fc", "bn1.running_mean"]), "only: the network has no parameter bn1.running_mean", "fc"),
    (TrainedParameters(only: ["fc"], freeze: ["fc"]), "leave none of the network's", "to train"),
  ])
  func impossibleChoicesAreRefused(_ trained: TrainedParameters, _ words: String, _ more: String) throws {
    let network = try Samples.network(.resnet)
    let error = #expect(throws: TrainingError.self) { try trained.parameters(of: network) }
    #expect(error?.description.contains(words) == true && error?.description.contains(more) == true, "\(error as Any)")
  }

  /// The noise is that of the trained parameters, and measuring it does not turn on any other gradient.
  @Test func noiseIsOfTheTrainedParameters() throws {
    var batches = try Samples.batches()
    let batch = try batches.batch(at: 0)
    func noise(_ trained: TrainedParameters) throws -> GradientNoise {
      let network = try Samples.network(.resnet)
      let noise = try GradientNoise(network, on: batch, microbatches: 4, trained: trained)
      for (name, parameter) in network.parameters() where parameter.isTrainable {
        #expect(parameter.value.requiresGradient == trained.contains(name))
      }
      return noise
    }
    let (all, head, rest) = try (noise(.all), noise(.init(only: ["fc"])), noise(.init(freeze: ["fc"])))
    #expect(head.traceCovariance > 0 && rest.traceCovariance > 0)
    #expect(abs(head.traceCovariance + rest.traceCovariance - all.traceCovariance) < 1e-4 * all.traceCovariance)
  }
}
