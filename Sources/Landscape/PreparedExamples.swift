import Datasets
import Torch

/// Examples whose batches are made once and kept, since one point after another is measured on them.
public struct PreparedExamples: ExampleSource {
  /// How many there are.
  public let count: Int
  /// Of the batches that are kept.
  public let batchSize: Int
  private let source: any ExampleSource
  private let batches: [ExampleBatch]
  /// Those of the source.
  public var classes: Int { source.classes }
  /// Where the batches live.
  public var device: Device { source.device }

  /// Makes the batches of a source.
  ///
  /// - Parameters:
  ///   - limit: how many examples, the first of the source; nil: all
  ///   - batchSize: nil: as many as fit in memory easily
  ///   - memory: batches are kept until they take so many bytes; later ones are made each time
  public init(_ source: any ExampleSource, limit: Int? = nil, batchSize: Int? = nil, memory: Int = 1 << 29) throws {
    self.source = source
    count = min(limit ?? source.count, source.count)
    let size = try batchSize ?? source.evaluationBatchSize()
    self.batchSize = size
    var (batches, bytes) = ([ExampleBatch](), 0)
    for start in stride(from: 0, to: count, by: max(1, size)) {
      let batch = try source.batch(start..<min(start + size, count))
      bytes += batch.inputs.count * batch.inputs.dtype.byteCount
      guard bytes <= memory else { break }
      batches.append(batch)
    }
    self.batches = batches
  }

  /// A batch that was kept, or one from the source.
  public func batch(_ range: Range<Int>) throws -> ExampleBatch {
    let place = range.lowerBound / max(1, batchSize)
    guard range.lowerBound % max(1, batchSize) == 0, place < batches.count else { return try source.batch(range) }
    return try batches[place].labels.size(0) == range.count ? batches[place] : source.batch(range)
  }
}

/// The first batches of a stream, made once: augmented once, too, so that every point sees the same.
struct PreparedBatches: BatchStream {
  let device: Device
  let batchSize: Int
  let stepsPerEpoch: Int
  private var stream: any BatchStream
  private let batches: [ExampleBatch]

  /// - Parameter count: how many batches will be asked for
  init(_ stream: any BatchStream, count: Int, memory: Int = 1 << 28) throws {
    (device, batchSize, stepsPerEpoch) = (stream.device, stream.batchSize, stream.stepsPerEpoch)
    var stream = stream
    var (batches, bytes) = ([ExampleBatch](), 0)
    for step in 0..<count {
      let batch = try stream.batch(at: step)
      bytes += batch.inputs.count * batch.inputs.dtype.byteCount
      guard bytes <= memory else { break }
      batches.append(batch)
    }
    self.stream = stream
    self.batches = batches
  }

  mutating func batch(at step: Int) throws -> ExampleBatch {
    batches.indices.contains(step) ? batches[step] : try stream.batch(at: step)
  }
}
