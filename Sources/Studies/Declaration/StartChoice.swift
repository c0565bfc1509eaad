import Datasets
import Training

/// The weights that a run starts from instead of freshly drawn ones: those of a file, or of a pretraining of its own. One of the two.
public struct StartChoice: Codable, Hashable, Sendable {
  /// A file of weights of the run's network. A classifier for another number of classes is replaced by a fresh one.
  public var file: String?
  public var pretrain: PretrainChoice?

  public init(file: String) { self.file = file }

  public init(pretrain: PretrainChoice) { self.pretrain = pretrain }

  init(file: String?, pretrain: PretrainChoice?) {
    self.file = file
    self.pretrain = pretrain
  }
}

/// Training of the same network on other data, before the run and once for all runs of a study that ask for the same. The learning rate
/// rises over a tenth of the length and falls along half a cosine. The classifier is not kept: the classes are others.
public struct PretrainChoice: Codable, Hashable, Sendable {
  public var dataset: DatasetChoice
  public var length: TrainingLength
  public var optimizer: Optimizer
  public var batchSize: Int
  public var augmentation: Augmentation
  /// Of initialisation, order and augmentation alike; not the run's, so that runs of all seeds start from one point.
  public var seed: Int

  public init(
    dataset: DatasetChoice, length: TrainingLength = .epochs(5), optimizer: Optimizer = .sgd(), batchSize: Int = 128,
    augmentation: Augmentation? = nil, seed: Int = 0
  ) {
    self.dataset = dataset
    self.length = length
    self.optimizer = optimizer
    self.batchSize = batchSize
    self.augmentation = augmentation ?? dataset.usualAugmentation
    self.seed = seed
  }
}

extension RunConfiguration {
  /// What the pretraining does, as a run whose one endpoint it is; nil without one.
  public var pretraining: RunConfiguration? {
    guard let pretrain = start?.pretrain else { return nil }
    let warmup: TrainingLength =
      switch pretrain.length {
      case .epochs(let epochs): .epochs(epochs / 10)
      case .steps(let steps): .steps(steps / 10)
      }
    return RunConfiguration(
      dataset: pretrain.dataset, model: model, optimizer: pretrain.optimizer, batchSize: pretrain.batchSize,
      augmentation: pretrain.augmentation, precision: precision, device: device,
      schedule: .init(name: .warmupCosine, warmup: warmup, length: pretrain.length), branch: .init(every: nil),
      measure: .init(noise: nil), checkpoints: .init(every: checkpoints.every), seeds: .init(pretrain.seed))
  }

  /// Reports what is impossible about the start.
  func checkStart(_ check: inout ConfigurationCheck) {
    guard let start else { return }
    check.require(
      (start.file == nil) != (start.pretrain == nil), "start",
      "has \(start.file == nil ? "neither" : "both"); expected one of {file: …} and {pretrain: {…}}")
    check.require(start.file != "", "start.file", "is empty; expected the path of a file of weights")
    guard let pretraining, let pretrain = start.pretrain else { return }
    check.require(
      pretrain.dataset.inputShape == dataset.inputShape, "start.pretrain.dataset",
      "has examples of \(pretrain.dataset.inputShape), the run's own dataset of \(dataset.inputShape); one network has to take both (set `size`)"
    )
    check.require(pretrain.seed >= 0, "start.pretrain.seed", "is \(pretrain.seed); expected a whole number, 0 or more")
    // What it shares with the run is reported there.
    let places = [
      "dataset": "dataset", "optimizer": "optimizer", "batch_size": "batch_size", "augmentation": "augmentation",
    ]
    for problem in pretraining.problems {
      let path = problem.keyPath.split(separator: ".", maxSplits: 1).map(String.init)
      if problem.keyPath == "schedule.length" || problem.keyPath == "schedule.warmup" {
        check.require(false, "start.pretrain.length", "is \(pretrain.length); expected a length of some steps")
      } else if let key = path.first.flatMap({ places[$0] }) {
        check.require(false, (["start.pretrain", key] + path.dropFirst()).joined(separator: "."), problem.message)
      }
    }
  }
}

extension SchemaReader {
  /// - Parameters: what a pretraining does unless it says otherwise
  func start(_ top: Fields, optimizer usual: Optimizer, batchSize: Int) -> StartChoice? {
    guard let node = top.node("start") else { return nil }
    let fields = top.fields("start")
    guard node.entries != nil else { return nil }
    let inner = fields.fields("pretrain")
    guard fields.node("pretrain") != nil else { return .init(file: fields.text("file"), pretrain: nil) }
    let dataset = dataset(inner.fields("dataset"))
    let pretrain = PretrainChoice(
      dataset: dataset, length: inner.length("length") ?? .epochs(5),
      optimizer: inner.node("optimizer") == nil ? usual : optimizer(inner.fields("optimizer")),
      batchSize: inner.integer("batch_size") ?? batchSize,
      augmentation: augmentation(inner, usual: dataset.usualAugmentation), seed: inner.integer("seed") ?? 0)
    return .init(file: fields.text("file"), pretrain: pretrain)
  }
}
