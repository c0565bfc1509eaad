import Datasets
import Foundation
import Networks
import Support
import Torch
import Training

/// What a run's configuration stands for: its data on the device, and how to make its networks.
public struct PreparedRun {
  /// What it was prepared from.
  public let configuration: RunConfiguration
  /// The run's own dataset: what the trunk learns.
  public let own: PreparedData
  /// What endpoints learn in a run with tasks; empty without.
  public let tasks: [PreparedData]
  /// Further test sets of the own dataset's classes.
  public let evaluations: [(name: String, test: any ExampleSource)]
  /// Its lengths, counted with the examples that were found.
  public let steps: RunSteps
  /// Where it computes.
  public let device: Device
  /// Training examples of the own dataset, without augmentation.
  public var train: any ExampleSource { own.train }
  /// Test examples of the own dataset.
  public var test: any ExampleSource { own.test }
  /// The type of convolutions and matrix products in training; nil: float32.
  public var autocast: DType? { configuration.precision == .bfloat16 ? .bfloat16 : nil }

  /// Where training batches come from, each stream with orders and augmentations of its own.
  public enum Stream: Hashable, Sendable {
    case trunk
    /// An endpoint of the branch at so many steps.
    case endpoint(branch: Int, index: Int)
    /// What gradient noise is measured on.
    case noise

    /// A seed of this stream's own.
    fileprivate func seed(_ seed: Int) -> Int {
      var random: SplitMix64
      let bits = UInt64(bitPattern: Int64(seed))
      switch self {
      case .trunk: return seed
      case .endpoint(let branch, let index): random = SplitMix64(bits, 0xE4D, UInt64(branch), UInt64(index))
      case .noise: random = SplitMix64(bits, 0x2015E)
      }
      return Int(bitPattern: UInt(truncatingIfNeeded: random.next()))
    }
  }

  /// Reads the data and brings it to the device.
  /// - Throws: `DatasetError`, `TorchError`, `RunDataError` when the files hold less than the configuration needs.
  public init(_ configuration: RunConfiguration) throws {
    self.configuration = configuration
    let device = try Device(configuration.device)
    let size = configuration.batchSize
    let own = try PreparedData(
      configuration.dataset, batchSize: size, augmentation: configuration.augmentation, on: device)
    tasks = try (configuration.tasks?.datasets ?? []).map {
      try PreparedData(
        $0.dataset, name: $0.name, batchSize: size, augmentation: configuration.augmentation, on: device)
    }
    if let other = tasks.first(where: { $0.input != own.input }) {
      throw RunDataError(
        "task \(other.name ?? "") has examples of \(other.input), the run's own dataset of \(own.input); "
          + "one network has to take both"
      )
    }
    evaluations = try (configuration.evaluate ?? []).map { ($0.name, try own.further($0.dataset, name: $0.name)) }
    steps = configuration.steps(
      trainingExamples: own.trainingExamples, taskExamples: tasks.isEmpty ? nil : tasks.map(\.trainingExamples))
    (self.own, self.device) = (own, device)
  }

  /// What an endpoint learns, by its place; nil: the trunk.
  func task(ofEndpoint index: Int?) -> PreparedData { index.flatMap { steps.plans[$0].task }.map { tasks[$0] } ?? own }

  /// The network of this run with freshly drawn weights, on the device.
  /// - Parameters:
  ///   - task: which of the tasks its head is for; nil: the own dataset
  ///   - endpoint: an endpoint that starts from weights of its own; nil: the weights that all share
  public func makeNetwork(task: Int? = nil, endpoint: Int? = nil) throws -> any Module {
    var seed = UInt64(bitPattern: Int64(configuration.seeds.initialisation))
    if let endpoint {
      var random = SplitMix64(seed, 0x1417, UInt64(endpoint))
      seed = random.next()
    }
    // The CPU's generator draws the weights, so that every device starts from the same ones.
    let generator = try Generator(seed: seed)
    let network = try configuration.model.makeNetwork(
      input: own.input, classes: (task.map { tasks[$0] } ?? own).train.classes, generator: generator)
    try network.move(to: device, format: .channelsLast)
    return network
  }

  /// The training batches of a stream.
  /// - Parameter task: what they are of; nil: what the stream's process learns
  public func batches(_ stream: Stream = .trunk, of task: PreparedData? = nil) throws -> any BatchStream {
    var endpoint: Int?
    if case .endpoint(_, let index) = stream { endpoint = index }
    let seeds = configuration.seeds
    return try (task ?? self.task(ofEndpoint: endpoint)).batches(
      configuration, orderSeed: stream.seed(seeds.order), augmentationSeed: stream.seed(seeds.augmentation))
  }

  /// A trainer of the trunk or of an endpoint, from `state` on.
  public func trainer(
    of network: any Module, _ stream: Stream = .trunk, state: TrainingState? = nil
  ) throws -> Trainer {
    try Trainer(
      network, batches: batches(stream), optimizer: configuration.optimizer,
      loss: configuration.loss ?? CrossEntropy(), trained: configuration.trained,
      seed: stream.seed(configuration.seeds.augmentation), autocast: autocast, state: state)
  }
}
