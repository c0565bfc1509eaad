import Datasets
import Foundation
import Networks
import Testing
import Torch

@testable import Studies

@Suite struct StudyModelTests {
  private static func configuration(_ model: Architecture, size: Int = 32) -> RunConfiguration {
    RunConfiguration(dataset: .init(name: .glyphs, size: size), model: model)
  }

  @Test(arguments: Architecture.Name.allCases.filter { $0.declaration.input == .pictures })
  func everyModelIsBuiltAndKnowsWhetherItHasBatchNorm(_ name: Architecture.Name) throws {
    var model = Architecture(name: name)
    let small: [Architecture.Option: Int] = [.width: 4, .heads: 2, .depth: 1]
    for (option, size) in small where model[option] != nil { model[option] = .integer(size) }
    #expect(Self.configuration(model).problems == [])
    let network = try model.makeNetwork(
      input: .picture(channels: 1, height: 32, width: 32), classes: 7, generator: Generator(seed: 0))
    #expect(try withoutGradients { try network(.zeros([2, 1, 32, 32]), .evaluation) }.shape == [2, 7])
    #expect(network.hasBatchNorm == name.declaration.hasBatchNorm)
  }

  /// Folders of runs are named by the hash of this text, so it must not change with what else a network may be asked.
  @Test func itsJSONHoldsWhatBelongsToIt() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    for (model, json) in [
      (Architecture(name: .mlp), #"{"hidden":[256,256],"name":"mlp"}"#),
      (.init(name: .resnet, width: 4), #"{"blocks":[1,1,1],"name":"resnet","stem":"cifar","width":4}"#),
      (.init(name: .vgg11BatchNorm), #"{"name":"vgg11_bn","width":64}"#),
      (
        .init(name: .vitSmall16, dropPath: 0.1),
        #"{"depth":12,"drop_path":0.1,"heads":6,"name":"vit_s16","patch":16,"width":384}"#
      ),
    ] {
      let data = try encoder.encode(model)
      #expect(String(decoding: data, as: UTF8.self) == json)
      #expect(try JSONDecoder().decode(Architecture.self, from: data) == model)
    }
  }

  @Test func summariesNameWhatMatters() {
    #expect(Architecture(name: .resnet18, width: 16).summary == "ResNet18, width 16")
    #expect(Architecture(name: .resnet).summary == "ResNet 1-1-1, width 8")
    #expect(Architecture(name: .mlp, hidden: [8]).summary == "MLP 8")
    #expect(Architecture(name: .vit, depth: 2).summary == "ViT, width 64, depth 2")
  }

  @Test func widthsAreThoseOfThePapers() {
    typealias Model = Architecture
    #expect(Model(name: .resnet20).width == 16)
    #expect(Model(name: .resnet20).blocks == [3, 3, 3])
    #expect([Model.Name.vgg11, .vgg16BatchNorm, .densenet121].map { Model(name: $0).width } == [64, 64, 64])
    #expect(Model(name: .vgg11).stem == nil)
    #expect(Model(name: .densenet121).stem == .cifar)
  }

  @Test(arguments: [
    (Architecture(name: .vgg11), 28, "model.name: is vgg11, which needs pictures of at least 32 pixels"),
    (.init(name: .densenet121, stem: .imagenet), 28, "model.name: is densenet121, which needs pictures of at least 32"),
    (.init(name: .densenet121, width: 7), 32, "model.width: is 7; densenet121 needs an even one"),
    (.init(name: .vgg16, blocks: [1]), 32, "model.blocks: cannot be chosen for vgg16"),
    (.init(name: .vgg16, stem: .cifar), 32, "model.stem: cannot be chosen for vgg16"),
    (.init(name: .resnet20, blocks: [1]), 32, "model.blocks: cannot be changed for resnet20"),
    (.init(name: .mlp, width: 8), 32, "model.width: cannot be chosen for mlp; leave it out; it has `hidden`"),
    (.init(name: .mlp, hidden: [0]), 32, "model.hidden: is 0; expected 0 … 64 numbers between 1 and 65536"),
    (.init(name: .resnet, blocks: []), 32, "model.blocks: is none; expected 1 … 4 numbers between 1 and 200"),
    (.init(name: .resnet, width: 0), 32, "model.width: is 0; expected a whole number between 1 and 4096"),
    (.init(name: .vit, heads: 3), 32, "model.heads: is 3, which does not divide the width 64"),
    (.init(name: .vitSmall16), 40, "model.patch: is 16, which does not divide the pictures' 40 pixels"),
    (.init(name: .convnextTiny), 28, "model.name: is convnext_tiny, which needs pictures of at least 32 pixels"),
    (.init(name: .clipBase16, dropPath: 1), 32, "model.drop_path: is 1.0; expected at least 0.0 and below 1.0"),
    (.init(name: .clipBase16, head: "mlp"), 32, "model.head: is mlp; expected linear or zero_shot"),
  ])
  func whatAModelCannotHaveIsRefused(_ model: Architecture, _ size: Int, _ message: String) {
    let problems = Self.configuration(model, size: size).problems.map(\.description)
    #expect(problems.count == 1 && problems[0].hasPrefix(message), "\(problems)")
  }
}
