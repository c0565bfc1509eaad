import Torch

/// The training batch of every step, shuffled and changed at random.
///
/// The batch of a step depends only on what the stream was made from, seeds included, and on the step, so that a resumed run needs no
/// saved generator. What a stream remembers is for speed.
public protocol BatchStream: Sendable {
  /// Where batches lie.
  var device: Device { get }
  /// Examples in a batch; the last of an epoch may hold fewer.
  var batchSize: Int { get }
  var stepsPerEpoch: Int { get }

  /// The batch of a step, counted from 0 over all epochs.
  mutating func batch(at step: Int) throws -> ExampleBatch
}
