/// What a study has found so far, as plain values: all that a report reads, and nothing of how it came about.
public struct StudyResults: Codable, Hashable, Sendable {
  public var name: String
  public var description: String
  /// What the study shows, in a line.
  public var title: String?
  /// The figure of the paper that it stands for, such as `2b`.
  public var figure: String?
  public var scale: StudyScale?
  /// The exponent p of the noise proxy S̃ = η / (B (1−μ)^p).
  public var exponent: Int
  /// The swept keys as `study.yaml` names them, such as `optimizer.lr`, `batch_size`; empty when nothing is swept.
  public var axes: [String]
  /// The study's settings for people to read, in the order to show them. `dataset` and `model` are named in captions.
  public var settings: [Setting]
  /// Every run that the study declares, those without results included.
  public var runs: [RunResults]

  public init(
    name: String, description: String, title: String? = nil, figure: String? = nil, scale: StudyScale? = nil,
    exponent: Int = 1, axes: [String], settings: [Setting], runs: [RunResults]
  ) {
    self.name = name
    self.description = description
    self.title = title
    self.figure = figure
    self.scale = scale
    self.exponent = exponent
    self.axes = axes
    self.settings = settings
    self.runs = runs
  }
}

/// The results of one run, with the values that set it apart from the other runs of its study.
public struct RunResults: Codable, Hashable, Sendable {
  public var id: String
  public var status: RunStatus
  public var learningRate: Double
  public var batchSize: Int
  public var momentum: Double
  public var weightDecay: Double
  /// The seed of initialisation; runs with equal settings and different seeds are repetitions of one another.
  public var seed: Int
  /// The noise proxy S̃ = η / (B (1−μ)^p), with the study's p.
  public var noiseProxy: Double
  /// `sgd` or `adamw`.
  public var optimizer: String
  /// AdamW: the proxy S̃ = η / √B (Malladi et al. 2022); nil for SGD.
  public var adamProxy: Double?
  /// Whether the examples are sequences of tokens: losses tell more than accuracies.
  public var isLanguage: Bool
  /// This run's value for each of the study's `axes`.
  public var settings: [Setting]
  public var rows: [ResultRow]
  /// Noise measured along the trunk, in the order of steps; empty where it was not measured.
  public var noise: [NoiseRow]
  /// What was measured around and between endpoints, by branch point; empty where nothing was.
  public var landscapes: [LandscapeRow]
  /// Mean training loss (nats) of the decayed singles of the last branch; nil before there is one.
  public var finalTrainLoss: Double?

  public init(
    id: String, status: RunStatus, learningRate: Double, batchSize: Int, momentum: Double, weightDecay: Double,
    seed: Int, noiseProxy: Double, optimizer: String = "sgd", adamProxy: Double? = nil, isLanguage: Bool = false,
    settings: [Setting], rows: [ResultRow], noise: [NoiseRow] = [], landscapes: [LandscapeRow] = [],
    finalTrainLoss: Double? = nil
  ) {
    self.id = id
    self.status = status
    self.learningRate = learningRate
    self.batchSize = batchSize
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.seed = seed
    self.noiseProxy = noiseProxy
    self.optimizer = optimizer
    self.adamProxy = adamProxy
    self.isLanguage = isLanguage
    self.settings = settings
    self.rows = rows
    self.noise = noise
    self.landscapes = landscapes
    self.finalTrainLoss = finalTrainLoss
  }
}
