import Datasets
import Testing
import Torch

@testable import Studies

@Suite struct StudyModelTests {
  private static func configuration(_ model: RunConfiguration.Model, size: Int = 32) -> RunConfiguration {
    RunConfiguration(dataset: .init(name: .glyphs, size: size), model: model)
  }

  @Test(arguments: RunConfiguration.Model.Name.allCases)
  func everyModelIsBuiltAndKnowsWhetherItHasBatchNorm(_ name: RunConfiguration.Model.Name) throws {
    let model = RunConfiguration.Model(name: name, width: name == .mlp ? nil : 4)
    #expect(Self.configuration(model).problems == [])
    let network = try model.makeNetwork(
      channels: 1, height: 32, width: 32, classes: 7, generator: Generator(seed: 0))
    #expect(try withoutGradients { try network(.zeros([2, 1, 32, 32]), .evaluation) }.shape == [2, 7])
    #expect(network.hasBatchNorm == name.hasBatchNorm)
  }

  @Test func widthsAreThoseOfThePapers() {
    typealias Model = RunConfiguration.Model
    #expect(Model(name: .resnet20).width == 16)
    #expect(Model(name: .resnet20).blocks == [3, 3, 3])
    #expect([Model.Name.vgg11, .vgg16BatchNorm, .densenet121].map { Model(name: $0).width } == [64, 64, 64])
    #expect(Model(name: .vgg11).stem == nil)
    #expect(Model(name: .densenet121).stem == .cifar)
  }

  @Test(arguments: [
    (RunConfiguration.Model(name: .vgg11), 28, "model.name: is vgg11, which needs pictures of at least 32 pixels"),
    (.init(name: .densenet121, stem: .imagenet), 28, "model.name: is densenet121, which needs pictures of at least 32"),
    (.init(name: .densenet121, width: 7), 32, "model.width: is 7; densenet121 needs an even one"),
    (.init(name: .vgg16, blocks: [1]), 32, "model.blocks: cannot be chosen for vgg16"),
    (.init(name: .vgg16, stem: .cifar), 32, "model.stem: cannot be chosen for vgg16"),
    (.init(name: .resnet20, blocks: [1]), 32, "model.blocks: cannot be changed for resnet20"),
  ])
  func whatAModelCannotHaveIsRefused(_ model: RunConfiguration.Model, _ size: Int, _ message: String) {
    let problems = Self.configuration(model, size: size).problems.map(\.description)
    #expect(problems.count == 1 && problems[0].hasPrefix(message), "\(problems)")
  }
}
