import Datasets
import Schema
import Training

/// The weights that a run starts from instead of freshly drawn ones: those of a file, or of a pretraining of its own.
/// One of the two.
public struct StartChoice: Codable, Hashable, Sendable {
  /// A file of weights of the run's network. A classifier for another number of classes is replaced by a fresh one.
  public var file: String?
  /// A training on other data.
  public var pretrain: PretrainChoice?

  /// From the weights in a file.
  public init(file: String) { self.file = file }

  /// From a pretraining.
  public init(pretrain: PretrainChoice) { self.pretrain = pretrain }

  init(file: String?, pretrain: PretrainChoice?) {
    self.file = file
    self.pretrain = pretrain
  }
}

/// Training of the same network on other data, before the run and once for all runs of a study that ask for the same.
/// The learning rate rises over a tenth of the length and falls along half a cosine. The classifier is not kept: the
/// classes are others.
public struct PretrainChoice: Codable, Hashable, Sendable {
  /// What is learned.
  public var dataset: DatasetChoice
  /// How long.
  public var length: TrainingLength
  /// How gradients become updates.
  public var optimizer: Optimizer
  /// Examples per optimizer step.
  public var batchSize: Int
  /// Random changes to pictures.
  public var augmentation: Augmentation
  /// Of initialisation, order and augmentation alike; not the run's, so that runs of all seeds start from one point.
  public var seed: Int

  /// - Parameter augmentation: nil: the usual one for the dataset
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
