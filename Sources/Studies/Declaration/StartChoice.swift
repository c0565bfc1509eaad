import Datasets
import Schema
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
    dataset: DatasetChoice = .init(name: .glyphs), length: TrainingLength = .epochs(5), optimizer: Optimizer = .sgd(),
    batchSize: Int = 128,
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

extension StartChoice {
  static let section = Section(StartChoice(file: nil, pretrain: nil)) {
    Key(
      "file", \.file,
      .text("the path of a file of weights") { $0.isEmpty ? "empty; expected the path of a file of weights" : nil },
      "a file of weights for the run's network; a classifier for another number of classes is replaced by a fresh one")
    Key(
      "pretrain", \.pretrain, .section(PretrainChoice.section), usual: { _ in nil },
      over: { $0.pretrain ?? PretrainChoice() },
      "a training on other data, done once for all runs that ask for the same")
  }
}

extension PretrainChoice {
  static let section = Section(PretrainChoice()) {
    Key("dataset", \.dataset, .section(DatasetChoice.section), "what is learned before the run")
    Key(
      "length", \.length, .length,
      "how long; the learning rate rises over the first tenth and falls along half a cosine")
    Key("optimizer", \.optimizer, .section(Optimizer.section), "the optimizer; left out, the run's")
    Key(
      "batch_size", \.batchSize, .integer(.atLeast(1, upTo: ConfigurationCheck.most)), synonyms: ["batch", "bs"],
      unit: "examples", words: "the run's", "the examples of an optimizer step")
    Key(
      "augmentation", \.augmentation, .section(Augmentation.section, none: Augmentation.none),
      usual: { $0.dataset.usualAugmentation }, over: { $0.dataset.usualAugmentation },
      "random changes to training pictures; left out, those usual for the dataset")
    Key(
      "seed", \.seed, .integer(.atLeast(0)),
      "the source of all randomness, whatever the run's seed: all runs start from one point")
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
    guard let pretraining, let pretrain = start.pretrain else { return }
    check.require(
      pretrain.dataset.inputShape == dataset.inputShape, "start.pretrain.dataset",
      "has examples of \(pretrain.dataset.inputShape), the run's own dataset of \(dataset.inputShape); one network has to take both (set `size`)"
    )
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
