import Datasets
import Networks
import Training

/// One fully resolved run: everything that decides its results, and nothing else.
///
/// It is written as canonical JSON (`canonicalJSON`), whose hash names the run's folder, so two runs are the same run exactly when
/// their configurations are equal. `problems` checks the values, wherever they came from; `StudyFile` reads them from YAML.
public struct RunConfiguration: Codable, Hashable, Sendable {
  /// nil: from freshly drawn weights.
  public var start: StartChoice?
  public var dataset: DatasetChoice
  /// Further test sets, on which everything is evaluated too; nil: none. They have the classes of `dataset`.
  public var evaluate: [NamedDataset]?
  /// nil: endpoints go on with `dataset`.
  public var tasks: TaskChoice?
  public var model: Architecture
  public var optimizer: Optimizer
  /// nil: the plain cross-entropy.
  public var loss: CrossEntropy?
  /// Parameters and parts of the network that alone are trained; nil: all.
  public var only: [String]?
  /// Parameters and parts of the network that are not trained; nil: none.
  public var freeze: [String]?
  /// Examples per optimizer step; the last incomplete batch of an epoch is left out.
  public var batchSize: Int
  public var augmentation: Augmentation
  public var precision: Precision
  /// `cpu`, `cuda` or `cuda:N`.
  public var device: String
  public var schedule: ScheduleChoice
  public var branch: BranchChoice
  public var merge: MergeChoice
  public var measure: MeasureChoice
  public var checkpoints: CheckpointChoice
  /// Whether the predictions of everything evaluated are kept, and ensembles evaluated too; nil: no.
  public var predictions: Bool?
  public var seeds: Seeds

  public init(
    dataset: DatasetChoice = .init(name: .glyphs), model: Architecture = .init(name: .resnet),
    optimizer: Optimizer = .sgd(),
    loss: CrossEntropy = .init(), trained: TrainedParameters = .all,
    batchSize: Int = 128, augmentation: Augmentation? = nil, precision: Precision? = nil, device: String = "cpu",
    schedule: ScheduleChoice = .init(), branch: BranchChoice = .init(), merge: MergeChoice = .init(),
    measure: MeasureChoice = .init(),
    checkpoints: CheckpointChoice = .init(), seeds: Seeds = .init(0), evaluate: [NamedDataset]? = nil,
    tasks: TaskChoice? = nil, predictions: Bool = false, start: StartChoice? = nil
  ) {
    self.dataset = dataset
    self.evaluate = evaluate?.isEmpty ?? true ? nil : evaluate
    self.tasks = tasks
    self.start = start
    self.predictions = predictions ? true : nil
    self.model = model
    self.optimizer = optimizer
    // Left out where nothing is asked for, so that a run has one configuration however it is written.
    self.loss = loss == CrossEntropy() ? nil : loss
    only = trained.only.isEmpty ? nil : trained.only
    freeze = trained.freeze.isEmpty ? nil : trained.freeze
    self.batchSize = batchSize
    self.augmentation = augmentation ?? dataset.usualAugmentation
    self.precision = precision ?? model.name.usualPrecision
    self.device = device
    self.schedule = schedule
    self.branch = branch
    self.merge = merge
    self.measure = measure
    self.checkpoints = checkpoints
    self.seeds = seeds
  }

  public enum Precision: String, Codable, CaseIterable, Sendable {
    case float32
    /// Autocast: weights stay float32.
    case bfloat16
  }

  /// Separate sources of randomness; one number stands for all three.
  public struct Seeds: Codable, Hashable, Sendable {
    public var initialisation: Int
    public var order: Int
    public var augmentation: Int

    public init(_ seed: Int) { self.init(initialisation: seed, order: seed, augmentation: seed) }

    public init(initialisation: Int, order: Int, augmentation: Int) {
      self.initialisation = initialisation
      self.order = order
      self.augmentation = augmentation
    }
  }
}

extension Architecture.Name {
  /// float32 for MLPs, bfloat16 for all others.
  public var usualPrecision: RunConfiguration.Precision { self == .mlp ? .float32 : .bfloat16 }
}
