import Datasets
import Networks
import Schema
import Training

/// One fully resolved run: everything that decides its results, and nothing else.
///
/// It is written as canonical JSON (`canonicalJSON`), whose hash names the run's folder, so two runs are the same run
/// exactly when their configurations are equal. `problems` checks the values, wherever they came from; `StudyFile`
/// reads them from YAML.
public struct RunConfiguration: Codable, Hashable, Sendable {
  /// nil: from freshly drawn weights.
  public var start: StartChoice?
  /// What is trained and tested on.
  public var dataset: DatasetChoice
  /// Further test sets, on which everything is evaluated too; nil: none. They have the classes of `dataset`.
  public var evaluate: [NamedDataset]?
  /// nil: endpoints go on with `dataset`.
  public var tasks: TaskChoice?
  /// The network.
  public var model: Architecture
  /// How gradients become updates.
  public var optimizer: Optimizer
  /// nil: the plain cross-entropy.
  public var loss: CrossEntropy?
  /// Parameters and parts of the network that alone are trained; nil: all.
  public var only: [String]?
  /// Parameters and parts of the network that are not trained; nil: none.
  public var freeze: [String]?
  /// Examples per optimizer step; the last incomplete batch of an epoch is left out.
  public var batchSize: Int
  /// Random changes to training pictures.
  public var augmentation: Augmentation
  /// The type of convolutions and matrix products.
  public var precision: Precision
  /// `cpu`, `cuda` or `cuda:N`.
  public var device: String
  /// The course of the learning rate.
  public var schedule: ScheduleChoice
  /// Where endpoints branch from the trunk.
  public var branch: BranchChoice
  /// How the endpoints of a branch point are merged.
  public var merge: MergeChoice
  /// What is measured along the way.
  public var measure: MeasureChoice
  /// Which weights stay on the disk.
  public var checkpoints: CheckpointChoice
  /// Whether the predictions of everything evaluated are kept, and ensembles evaluated too; nil: no.
  public var predictions: Bool?
  /// What everything random is drawn from.
  public var seeds: Seeds

  /// - Parameters:
  ///   - augmentation: nil: the usual one for the dataset
  ///   - precision: nil: the usual one for the network
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

  /// The type of convolutions and matrix products; weights are float32.
  public enum Precision: String, Codable, CaseIterable, Sendable {
    /// as weights are
    case float32
    /// Autocast: weights stay float32.
    case bfloat16
  }

  /// Separate sources of randomness, each a number of at least 0; one number stands for all three.
  public struct Seeds: Codable, Hashable, Sendable {
    /// Of the weights.
    public var initialisation: Int
    /// Of the examples' order.
    public var order: Int
    /// Of the changes to pictures.
    public var augmentation: Int

    /// One number for all three.
    public init(_ seed: Int) { self.init(initialisation: seed, order: seed, augmentation: seed) }

    /// A number for each.
    public init(initialisation: Int, order: Int, augmentation: Int) {
      self.initialisation = initialisation
      self.order = order
      self.augmentation = augmentation
    }
  }
}

extension RunConfiguration {
  /// The keys of a run. To add one, add a property above and an entry here, or to the section it belongs to.
  static let section = Section(RunConfiguration()) {
    Key(
      "start", \.start, .section(StartChoice.section),
      over: { .init(file: nil, pretrain: .init(optimizer: $0.optimizer, batchSize: $0.batchSize)) },
      "the weights that runs start from: a file or a pretraining; left out, freshly drawn ones")
    Key(
      "dataset", \.dataset, .section(DatasetChoice.section),
      usual: { $0.tasks?.datasets.first?.dataset ?? .init(name: .glyphs) }, "what is trained and tested on")
    Key(
      "evaluate", \.evaluate, .list(of: .section(NamedDataset.section), "a list of mappings"), absent: [],
      words: "none",
      "further test sets, with the classes of `dataset`, on which everything is evaluated too")
    Key("model", \.model, .section(Architecture.section), "the network")
    Key("optimizer", \.optimizer, .section(Optimizer.section), "how gradients become updates")
    Key("loss", \.loss, .section(CrossEntropy.section), absent: CrossEntropy(), "what is minimised: the cross-entropy")
    Key(
      "only", \.only, .list(of: .part, "a list of parts of the network"), absent: [], words: "all",
      "the parameters and parts of the network, such as fc, that alone are trained")
    Key(
      "freeze", \.freeze, .list(of: .part, "a list of parts of the network"), absent: [], words: "none",
      "the parameters and parts of the network, such as layer1, that are not trained")
    Key(
      "batch_size", \.batchSize, .integer(.atLeast(1, upTo: ConfigurationCheck.most)), synonyms: ["batch", "bs"],
      unit: "examples", "the examples of an optimizer step; the last, incomplete batch of an epoch is left out")
    Key(
      "augmentation", \.augmentation, .section(Augmentation.section, none: Augmentation.none),
      usual: { $0.dataset.usualAugmentation }, over: { $0.dataset.usualAugmentation },
      "random changes to training pictures, or none; left out, those usual for the dataset")
    Key(
      "precision", \.precision, .choice, usual: { $0.model.name.usualPrecision },
      words: "float32 with mlp, otherwise bfloat16", "the type of convolutions and matrix products; weights are float32"
    )
    Key("device", \.device, .device, "where to compute")
    Key("schedule", \.schedule, .section(ScheduleChoice.section), "the course of the learning rate")
    Key(
      "branch", \.branch, .section(BranchChoice.section), usual: usualBranch, over: usualBranch,
      "where endpoints branch from the trunk")
    Key("merge", \.merge, .section(MergeChoice.section), "how the endpoints of a branch point are merged")
    Key("measure", \.measure, .section(MeasureChoice.section), "what is measured besides accuracy and loss")
    Key("checkpoints", \.checkpoints, .section(CheckpointChoice.section), "which weights are kept, and when")
    Key(
      "predictions", \.predictions, .flag, absent: false,
      "whether to keep the predictions of everything evaluated, and to evaluate ensembles too")
    Key(
      "tasks", \.tasks, .section(TaskChoice.section),
      "endpoints that learn different things, each with a head of its own that is never merged")
  }

  /// Without a trunk there is one branch point, and with tasks an endpoint for each.
  @Sendable private static func usualBranch(_ run: RunConfiguration) -> BranchChoice {
    .init(every: run.schedule.name == .warmupCosine ? nil : .epochs(5), endpoints: run.tasks?.endpoints ?? 2)
  }
}

extension RunConfiguration.Seeds {
  static let section = Section(RunConfiguration.Seeds(0)) {
    Key(
      "initialisation", \.initialisation, .integer(.atLeast(0)), synonyms: ["initialization", "init"],
      "what weights are drawn from")
    Key("order", \.order, .integer(.atLeast(0)), "what the order of examples is drawn from")
    Key("augmentation", \.augmentation, .integer(.atLeast(0)), "what changes to pictures are drawn from")
  }
}

extension Kind where Value == String {
  /// A part of a network.
  fileprivate static var part: Kind {
    .text("a part of the network") {
      $0.isEmpty ? "an empty name; expected parts of the network, such as layer1" : nil
    }
  }

  fileprivate static var device: Kind {
    .text("cpu, cuda or cuda:N") { device in
      let index = device.hasPrefix("cuda:") ? Int(device.dropFirst(5)) : nil
      return device == "cpu" || device == "cuda" || (index ?? -1) >= 0
        ? nil : "\"\(device)\"; expected cpu, cuda or cuda:N"
    }
  }
}

extension Architecture.Name {
  /// float32 for MLPs, bfloat16 for all others.
  public var usualPrecision: RunConfiguration.Precision { self == .mlp ? .float32 : .bfloat16 }
}
