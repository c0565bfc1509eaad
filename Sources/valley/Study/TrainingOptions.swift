import ArgumentParser
import Studies

/// The options that say how a network is trained, in the place of a study's values.
struct TrainingOptions: ParsableArguments {
  @Option(help: "The optimizer: sgd or adamw.") var optimizer: String?
  @Option(
    name: [.customLong("lr"), .customLong("learning-rate")], parsing: .unconditional, help: "The peak learning rate.")
  var learningRate: String?
  @Option(parsing: .unconditional, help: "The momentum of sgd.") var momentum: String?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The decay rates of adamw's averages, such as 0.9,0.999.", valueName: "beta1,beta2"))
  var betas: String?
  @Option(parsing: .unconditional, help: "Weight decay.") var weightDecay: String?
  @Option(parsing: .unconditional, help: "The largest gradient norm; larger gradients are scaled down to it.")
  var clip: String?
  @Option(parsing: .unconditional, help: "Label smoothing, from 0 to below 1.") var labelSmoothing: String?
  @Option(help: "The schedule: warmup-stable-decay, warmup-cosine or constant.") var schedule: String?
  @Option(parsing: .unconditional, help: "Examples per step.") var batchSize: String?
  @Option(
    help: ArgumentHelp("Train only this part of the network, such as fc; may be repeated.", valueName: "part"))
  var only: [String] = []
  @Option(
    help: ArgumentHelp("Do not train this part of the network, such as layer1; may be repeated.", valueName: "part")
  )
  var freeze: [String] = []

  var settings: [Setting] {
    let own: [(String, String?)] = [
      ("optimizer.name", optimizer), ("schedule.name", schedule), ("optimizer.lr", learningRate),
      ("optimizer.momentum", momentum), ("optimizer.betas", betas.map { $0.hasPrefix("[") ? $0 : "[\($0)]" }),
      ("optimizer.weight_decay", weightDecay), ("optimizer.clip", clip), ("loss.label_smoothing", labelSmoothing),
      ("batch_size", batchSize), ("only", list(only)), ("freeze", list(freeze)),
    ]
    return own.compactMap { key, value in value.map { Setting(key: key, value: $0) } }
  }

  private func list(_ names: [String]) -> String? {
    names.isEmpty ? nil : "[" + names.map(Setting.quoted).joined(separator: ", ") + "]"
  }
}
