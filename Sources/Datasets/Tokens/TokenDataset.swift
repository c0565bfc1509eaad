import Support
import Torch

/// A stretch of a tokenized text, divided into consecutive sequences, for the evaluation of language models.
///
/// Example i has the tokens from i · context on, and as labels the tokens one place further. Tokens left over at the
/// end are not used.
public struct TokenDataset: ExampleSource {
  /// The number of sequences.
  public let count: Int
  /// Tokens in a sequence.
  public let context: Int
  /// The size of the vocabulary.
  public let classes: Int
  /// Where batches are.
  public let device: Device
  /// The number of tokens, the last of which is only a label.
  public let tokens: Int
  private let file: TokenFile
  private let start: Int

  /// Part of a tokenized text, or all of it.
  ///
  /// - Parameters:
  ///   - file: the tokenized text
  ///   - range: which tokens of the file; nil: all
  ///   - context: tokens in a sequence
  ///   - sequences: how many, from the first on; nil: all there are
  ///   - name: what the text is called in messages
  ///   - device: where batches are
  /// - Throws: `DatasetError` when there are too few tokens for one sequence, or for those asked for.
  public init(
    _ file: TokenFile, range: Range<Int>? = nil, context: Int, sequences: Int? = nil, name: String = "the text",
    on device: Device = .cpu
  ) throws {
    let range = range ?? 0..<file.count
    let held = (range.count - 1) / max(1, context)
    guard context > 0, held > 0 else {
      throw DatasetError(
        "\(name) has \(range.count) tokens, and a sequence takes \(context) and the one after",
        remedy: "choose a smaller context, or a longer text")
    }
    guard (1...held).contains(sequences ?? held) else {
      throw DatasetError(
        "\(name) has \(held) sequences of \(context) tokens, \(sequences ?? 0) were asked for",
        remedy: "ask for 1 to \(held)")
    }
    self.file = file
    self.context = context
    self.device = device
    start = range.lowerBound
    count = sequences ?? held
    tokens = sequences.map { $0 * context + 1 } ?? range.count
    classes = file.vocabularySize
  }

  /// The sequences of a range: inputs and labels [n, context], int64.
  public func batch(_ range: Range<Int>) throws -> ExampleBatch { try batch(from: range.map { $0 * context }) }

  /// The sequences that start at these places, each at most `tokens` − context − 1.
  func batch(from places: [Int]) throws -> ExampleBatch {
    var inputs: [Int] = []
    var labels: [Int] = []
    inputs.reserveCapacity(places.count * context)
    labels.reserveCapacity(places.count * context)
    for place in places {
      let ids = file.ids((start + place)..<(start + place + context + 1))
      inputs += ids.dropLast()
      labels += ids.dropFirst()
    }
    let shape = [places.count, context]
    return ExampleBatch(
      inputs: try Tensor(inputs, shape: shape).to(device), labels: try Tensor(labels, shape: shape).to(device))
  }
}

/// Training batches by step, of sequences that start anywhere in a text. An epoch is as many steps as it takes to see
/// as many tokens as the text has.
///
/// The batch of a step depends only on the text, the seed and the step, so a resumed run needs no saved generator.
public struct TokenBatches: BatchStream {
  /// The text.
  public let dataset: TokenDataset
  /// Sequences in every batch.
  public let batchSize: Int
  /// What the sequences of a step depend on, together with the step.
  public let seed: Int
  /// The dataset's sequences divided by the batch size, rounded down.
  public let stepsPerEpoch: Int
  /// The dataset's device, on which batches are.
  public var device: Device { dataset.device }

  /// Batches of `batchSize` sequences of the dataset's context.
  ///
  /// - Throws: `DatasetError` when a batch would be empty or have more sequences than the text.
  public init(_ dataset: TokenDataset, batchSize: Int, seed: Int) throws {
    guard (1...dataset.count).contains(batchSize) else {
      throw DatasetError(
        "batches of \(batchSize) cannot be taken from \(dataset.count) sequences of \(dataset.context) tokens",
        remedy: "choose a batch size from 1 to \(dataset.count)")
    }
    self.dataset = dataset
    self.batchSize = batchSize
    self.seed = seed
    stepsPerEpoch = dataset.count / batchSize
  }

  /// The batch of a step, counted from 0: inputs and labels [batchSize, context], int64.
  public func batch(at step: Int) throws -> ExampleBatch { try dataset.batch(from: places(at: step)) }

  /// The places at which the sequences of a step start, in tokens.
  func places(at step: Int) -> [Int] {
    var random = SplitMix64(UInt64(bitPattern: Int64(seed)), 0x70C5, UInt64(step))
    let places = UInt64(dataset.tokens - dataset.context)
    return (0..<batchSize).map { _ in Int(random.next().multipliedFullWidth(by: places).high) }
  }
}
