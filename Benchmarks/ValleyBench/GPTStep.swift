import ArgumentParser
import Datasets
import Networks
import Torch
import Training

/// One training step of a GPT on a batch that is already there.
struct GPTStep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gpt-step", abstract: "A training step of a GPT: forward, cross-entropy, backward, AdamW.")

  @OptionGroup var options: RepetitionOptions

  @Option(help: "Layers.") var depth = 2
  @Option(help: "Channels of a token.") var width = 256
  @Option(help: "Heads of the attention.") var heads = 8
  @Option(help: "Tokens of a sequence.") var context = 256
  @Option(help: "Tokens there are.") var vocabulary = 4096
  @Option(help: "Sequences in a batch.") var batch = 16
  @Option(help: "float32 or bfloat16 (autocast).") var dtype = NetworkOptions.Precision.float32

  func validate() throws {
    guard min(depth, width, heads, context, vocabulary, batch) > 0 else {
      throw ValidationError("all sizes must be 1 or more")
    }
  }

  func run() throws {
    let generator = try Generator(seed: 0)
    let network = try GPT(
      vocabulary: vocabulary, context: context, depth: depth, width: width, heads: heads, generator: generator)
    let tokens = try Tensor.integers(in: 0..<vocabulary, shape: [batch, context + 1], generator: generator)
    let example = ExampleBatch(
      inputs: try tokens.narrow(1, from: 0, count: context).contiguous(),
      labels: try tokens.narrow(1, from: 1, count: context).contiguous())
    let trainer = try Trainer(
      network, batches: OneBatch(batch: example), optimizer: .adamW(AdamW(learningRate: 3e-4)),
      autocast: dtype == .bfloat16 ? .bfloat16 : nil)
    try Timing.measure("gpt-step", options) { _ = try trainer.advance(learningRate: 3e-4) }.report()
  }
}

/// The same batch at every step.
private struct OneBatch: BatchStream {
  let batch: ExampleBatch
  let device = Device.cpu
  var batchSize: Int { batch.inputs.shape[0] }
  let stepsPerEpoch = 1

  func batch(at step: Int) throws -> ExampleBatch { batch }
}
