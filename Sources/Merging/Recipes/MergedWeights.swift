import Checkpoints
import Foundation
import Synchronization
import Torch
import Weights

/// The files that a recipe names, opened once for many plans of it.
public struct MergeModels {
  let files: [ModelFiles]
  /// Where relative paths start.
  let folder: String
  let inputs: [Recipe.Model: MergePlanner.Input]

  /// Reads the headers of all inputs.
  ///
  /// - Parameter folder: where the recipe's relative paths start (they may also start at the working folder).
  /// - Throws: `CheckpointError` for files that cannot be read.
  public init(_ recipe: Recipe, relativeTo folder: String = ".") throws {
    files = try recipe.models.map { try ModelFiles($0, relativeTo: folder) }
    inputs = try Dictionary(
      files.map { ($0.model, try MergePlanner.Input($0, hasVocabulary: recipe.hasTokenizer)) },
      uniquingKeysWith: { $1 })
    self.folder = folder
  }

  /// Where the weights of each model are.
  public var paths: [(model: Recipe.Model, path: String)] { files.map { ($0.model, $0.path) } }
}

extension MergePlan {
  /// Carries the plan out in memory, in the types that a file would have.
  ///
  /// - Throws: `MergeError` for elements that would not be finite.
  public func merged(threads: Int = ProcessInfo.processInfo.activeProcessorCount) throws -> Weights {
    struct State {
      var next = 0
      var failure: (any Error)?
      var merged: [Int: Tensor] = [:]
    }
    let state = Mutex(State())
    DispatchQueue.concurrentPerform(iterations: max(1, min(threads, tensors.count))) { _ in
      let workspace = Workspace { state.withLock { $0.failure != nil } }
      while true {
        let index = state.withLock { state -> Int? in
          guard state.failure == nil, state.next < tensors.count else { return nil }
          state.next += 1
          return state.next - 1
        }
        guard let index else { return }
        do {
          let tensor = try tensors[index].merged(workspace)
          state.withLock { $0.merged[index] = tensor }
        } catch {
          state.withLock { if $0.failure == nil { $0.failure = error } }
        }
      }
    }
    return try state.withLock { state in
      if let failure = state.failure { throw failure }
      return Weights(tensors.indices.compactMap { index in state.merged[index].map { (tensors[index].name, $0) } })
    }
  }
}

extension PlannedTensor {
  /// The tensor in memory, rounded to its type.
  fileprivate func merged(_ workspace: Workspace) throws -> Tensor {
    // A copy, so that nobody can write to the input.
    if let copied { return try withoutGradients { try copied.tensor.clone() } }
    let result = try Tensor.zeros(shape, dtype: dtype)
    let target = try TensorSource(result)
    try forEachMerged(workspace) { range, vector in
      guard let address = target.address(of: range.lowerBound) else { return }
      // Nobody else has the tensor yet.
      guard vector.store(UnsafeMutableRawPointer(mutating: address), dtype.rawValue) else {
        throw infinite(workspace)
      }
    }
    return result
  }
}
