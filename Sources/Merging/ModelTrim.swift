import Foundation
import MergeKernels
import Synchronization
import Torch

/// Trims task vectors over all tensors of a model together: what is kept is as large as the last of the largest of the whole model, so
/// that a tensor keeps many elements or none. Of equals at that magnitude all are kept, as FusionBench has it: which ones come first
/// would depend on the order of the tensors.
final class ModelTrim: Sendable {
  /// One tensor of the flattened model: where a model's and the base's elements are.
  struct Member: Sendable {
    let name: String
    let count: Int
    let source: @Sendable (_ model: Int, _ workspace: Workspace) throws -> (model: TensorSource, base: TensorSource)
  }

  /// Whether magnitudes are compared in float64.
  let isWide: Bool
  private let members: [Member]
  /// The part of the model that is kept, by model.
  private let densities: [Double]
  private let found = Mutex<[VMSelection]?>(nil)

  init(_ members: [Member], densities: [Double], isWide: Bool) {
    (self.members, self.densities, self.isWide) = (members, densities, isWide)
  }

  /// Which magnitudes are kept, by model; found at the first call, for which other threads wait.
  func selections(isCancelled: @escaping @Sendable () -> Bool) throws -> [VMSelection] {
    try found.withLock { known in
      if let known { return known }
      let results = Mutex<[Int: Result<VMSelection, any Error>]>([:])
      DispatchQueue.concurrentPerform(iterations: densities.count) { model in
        let result = Result { try selection(model, Workspace(isCancelled: isCancelled)) }
        results.withLock { $0[model] = result }
      }
      let selections = try results.withLock { results in
        try densities.indices.compactMap { try results[$0]?.get() }
      }
      known = selections
      return selections
    }
  }

  private func selection(_ model: Int, _ workspace: Workspace) throws -> VMSelection {
    let count = members.reduce(0) { $0 + $1.count }
    let density = densities[model]
    let kept = density > 0 ? max(1, Int(density * Double(count))) : 0
    return try Magnitudes.atLeastAsLarge(as: kept, of: count, workspace.kernels(wide: isWide)) { body in
      for member in self.members {
        let source = try member.source(model, workspace)
        let inputs = try MergeInputs(
          name: member.name, models: [source.model], base: source.base, modelTrim: self, seed: 0, workspace: workspace)
        try inputs.forEachChunk { try body(try inputs.taskVector(0, $0)) }
      }
    }
  }
}

extension ModelTrim {
  /// Of `tensors`, those that the method trims together: tensors with the same densities make up one model.
  ///
  /// - Parameters:
  ///   - densities: nil for a tensor that is not trimmed so
  ///   - member: what it is, and whether it takes float64
  /// - Returns: by the tensor's place
  static func groups<Item>(
    _ tensors: [Item], densities: (Item) throws -> [Double]?, member: (Item) throws -> (Member, isWide: Bool)
  ) throws -> [Int: ModelTrim] {
    var places: [[Double]: [Int]] = [:]
    for (place, tensor) in tensors.enumerated() {
      if let densities = try densities(tensor) { places[densities, default: []].append(place) }
    }
    var trims: [Int: ModelTrim] = [:]
    for (densities, places) in places {
      let members = try places.map { try member(tensors[$0]) }
      let trim = ModelTrim(members.map(\.0), densities: densities, isWide: members.contains(where: \.isWide))
      for place in places { trims[place] = trim }
    }
    return trims
  }
}
