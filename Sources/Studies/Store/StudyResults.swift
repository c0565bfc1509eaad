/// What a study has found so far, as plain values: all that a report reads, and nothing of how it came about.
public struct StudyResults: Codable, Hashable, Sendable {
  /// The study's name, see `Study.name`.
  public var name: String
  /// What the study shows, in a few sentences.
  public var description: String
  /// What the study shows, in a line.
  public var title: String?
  /// The figure of the paper that it stands for, such as `2b`.
  public var figure: String?
  /// The scale it was run at; nil for a study without scales.
  public var scale: StudyScale?
  /// The exponent p of the noise proxy S̃ = η / (B (1−μ)^p).
  public var exponent = 1
  /// The swept keys as `study.yaml` names them, such as `optimizer.lr`, `batch_size`; empty when nothing is swept.
  public var axes: [String]
  /// The study's settings for people to read, in the order to show them. `dataset` and `model` are named in captions.
  public var settings: [Setting]
  /// Every run that the study declares, those without results included.
  public var runs: [RunResults]
}

/// The results of one run, with the values that set it apart from the other runs of its study.
public struct RunResults: Codable, Hashable, Sendable {
  /// The name of the run's folder, see `RunConfiguration.id`.
  public var id: String
  /// How the run stands.
  public var status: RunStatus
  /// η, the peak.
  public var learningRate: Double
  /// B, examples.
  public var batchSize: Int
  /// μ; 0 with AdamW.
  public var momentum: Double
  /// λ.
  public var weightDecay: Double
  /// The seed of initialisation; runs with equal settings and different seeds are repetitions of one another.
  public var seed: Int
  /// The noise proxy S̃ = η / (B (1−μ)^p), with the study's p.
  public var noiseProxy: Double
  /// `sgd` or `adamw`.
  public var optimizer = "sgd"
  /// AdamW: the proxy S̃ = η / √B (Malladi et al. 2022); nil for SGD.
  public var adamProxy: Double?
  /// Whether the examples are sequences of tokens: losses tell more than accuracies.
  public var isLanguage = false
  /// This run's value for each of the study's `axes`.
  public var settings: [Setting]
  /// What was evaluated, in the order in which it was.
  public var rows: [ResultRow]
  /// Noise measured along the trunk, in the order of steps; empty where it was not measured.
  public var noise: [NoiseRow] = []
  /// What was measured around and between endpoints, by branch point; empty where nothing was.
  public var landscapes: [LandscapeRow] = []
  /// Mean training loss (nats) of the decayed singles of the last branch; nil before there is one.
  public var finalTrainLoss: Double?
}
