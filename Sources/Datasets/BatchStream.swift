import Torch

/// Training batches by step, shuffled and randomly augmented.
///
/// The batch of a step depends only on the step and on what the stream was made from, seeds included. So a resumed run
/// needs no saved generator. Whatever a stream remembers is for speed.
public protocol BatchStream: Sendable {
  /// The device on which batches are.
  var device: Device { get }
  /// Examples in a batch. The last batch of an epoch may have fewer.
  var batchSize: Int { get }
  /// Batches in one pass over the training set.
  var stepsPerEpoch: Int { get }

  /// The batch of a step, counted from 0 over all epochs.
  ///
  /// - Throws: `TorchError`, for lack of memory, say.
  mutating func batch(at step: Int) throws -> ExampleBatch
}
