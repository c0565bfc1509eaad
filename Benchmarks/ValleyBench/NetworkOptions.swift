import ArgumentParser
import Networks
import Torch

/// A network for pictures of ten classes and how it is trained.
struct NetworkOptions: ParsableArguments {
  @Option(
    help: """
      resnet18, resnet34, resnet50, or resnet-1,1,1 for basic blocks by stage; densenet121, for small pictures \
      as they are; vit_s16; \
      convnext_tiny.
      """)
  var model = "resnet18"

  @Option(help: "Channels of a ResNet's first stage or of DenseNet's stem.")
  var width = 64

  @Option(help: "Pixels a side.")
  var size = 32

  @Option(help: "Examples in a batch.")
  var batch = 128

  @Option(help: "float32 or bfloat16 (autocast).")
  var dtype = Precision.float32

  @Option(help: "cpu, cuda or cuda:N.")
  var device = "cpu"

  enum Precision: String, ExpressibleByArgument { case float32, bfloat16 }

  var autocast: DType? { dtype == .bfloat16 ? .bfloat16 : nil }

  private var blocks: [Int]? {
    switch model {
    case "resnet18": [2, 2, 2, 2]
    case "resnet34", "resnet50": [3, 4, 6, 3]
    default:
      model.hasPrefix("resnet-")
        ? model.dropFirst(7).split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 } : nil
    }
  }

  func validate() throws {
    guard blocks != nil || ["densenet121", "vit_s16", "convnext_tiny"].contains(model), batch > 0, size > 0 else {
      throw ValidationError(
        "--model is resnet18, resnet34, resnet50, resnet-1,1,1, densenet121, vit_s16 or convnext_tiny; "
          + "--batch and --size are above 0")
    }
  }

  func make() throws -> any Module {
    let generator = try Generator(seed: 0)
    switch model {
    case "densenet121":
      return try DenseNet(
        blocks: [6, 12, 24, 16], growth: width / 2, stem: .cifar, classes: 10, generator: generator)
    case "vit_s16": return try VisionTransformer(imageSize: size, classes: 10, generator: generator)
    case "convnext_tiny": return try ConvNeXt(classes: 10, generator: generator)
    default:
      return try ResNet(
        blocks: blocks ?? [], block: model == "resnet50" ? .bottleneck : .basic, width: width, classes: 10,
        generator: generator)
    }
  }
}
