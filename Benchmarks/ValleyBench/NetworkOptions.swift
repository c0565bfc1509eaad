import ArgumentParser
import Networks
import Torch

/// A residual network for CIFAR-10 and how it is trained.
struct NetworkOptions: ParsableArguments {
  @Option(help: "resnet18, resnet34, resnet50, or resnet-1,1,1 for basic blocks by stage.")
  var model = "resnet18"

  @Option(help: "Channels of the first stage.")
  var width = 64

  @Option(help: "Examples in a batch.")
  var batch = 128

  @Option(help: "float32 or bfloat16 (autocast).")
  var dtype = Precision.float32

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
    guard blocks != nil, batch > 0 else {
      throw ValidationError("--model is resnet18, resnet34, resnet50 or resnet-1,1,1; --batch is above 0")
    }
  }

  func make() throws -> ResNet {
    try ResNet(
      blocks: blocks ?? [], block: model == "resnet50" ? .bottleneck : .basic, width: width, classes: 10,
      generator: Generator(seed: 0))
  }
}
