import Datasets
import Training

/// One fully resolved run: everything that decides its results, and nothing else.
///
/// It is written as canonical JSON (`canonicalJSON`), whose hash names the run's folder, so two runs are the same run exactly when
/// their configurations are equal. `problems` checks the values, wherever they came from; `StudyFile` reads them from YAML.
public struct RunConfiguration: Codable, Hashable, Sendable {
  public var dataset: Dataset
  /// Further test sets, on which everything is evaluated too; nil: none. They have the classes of `dataset`.
  public var evaluate: [NamedDataset]?
  /// nil: endpoints go on with `dataset`.
  public var tasks: Tasks?
  public var model: Model
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
  public var branch: Branch
  public var merge: Merge
  public var measure: Measure
  public var checkpoints: CheckpointPolicy
  /// Whether the predictions of everything evaluated are kept, and ensembles evaluated too; nil: no.
  public var predictions: Bool?
  public var seeds: Seeds

  public init(
    dataset: Dataset = .init(name: .glyphs), model: Model = .init(name: .resnet), optimizer: Optimizer = .sgd(),
    loss: CrossEntropy = .init(), trained: TrainedParameters = .all,
    batchSize: Int = 128, augmentation: Augmentation? = nil, precision: Precision? = nil, device: String = "cpu",
    schedule: ScheduleChoice = .init(), branch: Branch = .init(), merge: Merge = .init(), measure: Measure = .init(),
    checkpoints: CheckpointPolicy = .init(), seeds: Seeds = .init(0), evaluate: [NamedDataset]? = nil,
    tasks: Tasks? = nil, predictions: Bool = false
  ) {
    self.dataset = dataset
    self.evaluate = evaluate?.isEmpty ?? true ? nil : evaluate
    self.tasks = tasks
    self.predictions = predictions ? true : nil
    self.model = model
    self.optimizer = optimizer
    // Left out where nothing is asked for, so that a run has one configuration however it is written.
    self.loss = loss == CrossEntropy() ? nil : loss
    only = trained.only.isEmpty ? nil : trained.only
    freeze = trained.freeze.isEmpty ? nil : trained.freeze
    self.batchSize = batchSize
    self.augmentation = augmentation ?? dataset.name.usualAugmentation
    self.precision = precision ?? model.name.usualPrecision
    self.device = device
    self.schedule = schedule
    self.branch = branch
    self.merge = merge
    self.measure = measure
    self.checkpoints = checkpoints
    self.seeds = seeds
  }

  /// The network. `hidden` belongs to the MLP, `width` to all others, `stem` to those and not the VGGs, `blocks` to the ResNets; what
  /// does not belong to a network is nil.
  public struct Model: Codable, Hashable, Sendable {
    public enum Name: String, Codable, CaseIterable, Sendable {
      case mlp, resnet, resnet18, resnet34, resnet50, resnet20, vgg11, vgg16, densenet121
      case vgg11BatchNorm = "vgg11_bn"
      case vgg16BatchNorm = "vgg16_bn"
    }
    public enum Stem: String, Codable, CaseIterable, Sendable {
      /// 3×3 convolution, no pooling
      case cifar
      /// 7×7 convolution with stride 2 and max pooling
      case imagenet
    }
    public var name: Name
    /// Residual blocks of each stage.
    public var blocks: [Int]?
    /// Channels of the first stage; for DenseNet121 of the stem, twice its growth.
    public var width: Int?
    public var stem: Stem?
    /// Widths of the hidden layers.
    public var hidden: [Int]?

    /// Fills in what is left out: `resnet` is 3 stages of 1 block, width 8; the named ones have their own blocks and width 64, but 16
    /// for `resnet20`.
    public init(name: Name, blocks: [Int]? = nil, width: Int? = nil, stem: Stem? = nil, hidden: [Int]? = nil) {
      self.name = name
      self.blocks = blocks ?? name.usualBlocks
      self.width = width ?? name.usualWidth
      self.stem = stem ?? (name.hasStem ? .cifar : nil)
      self.hidden = hidden ?? (name == .mlp ? [256, 256] : nil)
    }
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

extension RunConfiguration.Model.Name {
  /// bfloat16 for convolutional networks, float32 for MLPs.
  public var usualPrecision: RunConfiguration.Precision { self == .mlp ? .float32 : .bfloat16 }

  var usualBlocks: [Int]? {
    switch self {
    case .mlp, .vgg11, .vgg11BatchNorm, .vgg16, .vgg16BatchNorm, .densenet121: nil
    case .resnet: [1, 1, 1]
    case .resnet20: [3, 3, 3]
    case .resnet18: [2, 2, 2, 2]
    case .resnet34, .resnet50: [3, 4, 6, 3]
    }
  }

  var usualWidth: Int? {
    switch self {
    case .mlp: nil
    case .resnet: 8
    case .resnet20: 16
    default: 64
    }
  }

  var isVGG: Bool { [.vgg11, .vgg11BatchNorm, .vgg16, .vgg16BatchNorm].contains(self) }
  var hasStem: Bool { self != .mlp && !isVGG }
  var hasBatchNorm: Bool { ![.mlp, .vgg11, .vgg16].contains(self) }
}
