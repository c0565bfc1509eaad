import MergeKernels
import Support
import Synchronization

/// Trims task vectors over all tensors of a model together: what is kept is as large as the last of the largest of the
/// whole model, so that a tensor keeps many elements or none. Of equals at that magnitude all are kept, as FusionBench
/// has it: which ones come first would depend on the order of the tensors.
final class ModelTrim: Sendable {
  /// One tensor of the flattened model: where the models' and the base's elements are.
  struct Member: Sendable {
    let models: [any Operand]
    let base: any Operand
  }

  /// Whether magnitudes are compared in float64.
  let isWide: Bool
  private let members: [Member]
  /// The part of the model that is kept, by model.
  private let densities: [Double]
  private let found = Mutex<[VMSelection]?>(nil)

  init(_ members: [Member], densities: [Double]) {
    (self.members, self.densities) = (members, densities)
    // Magnitudes compare within one working type.
    isWide = members.contains { ($0.models + [$0.base]).contains(where: \.dtype.needsDouble) }
  }

  /// Which magnitudes are kept, by model; found at the first call, for which other threads wait.
  func selections(isCancelled: @escaping @Sendable () -> Bool) throws -> [VMSelection] {
    try found.withLock { known in
      if let known { return known }
      let results = Mutex<[Int: VMSelection]>([:])
      try inParallel(densities.count, threads: densities.count) { model in
        let selection = try self.selection(model, isCancelled)
        results.withLock { $0[model] = selection }
      }
      let selections = results.withLock { found in densities.indices.compactMap { found[$0] } }
      known = selections
      return selections
    }
  }

  private func selection(_ model: Int, _ isCancelled: @escaping @Sendable () -> Bool) throws -> VMSelection {
    let workspace = Workspace(isCancelled: isCancelled)
    let count = members.reduce(0) { $0 + $1.base.shape.reduce(1, *) }
    let kept = densities[model] > 0 ? max(1, Int(densities[model] * Double(count))) : 0
    return try Magnitudes.atLeastAsLarge(as: kept, of: count, workspace.kernels(wide: isWide)) { body in
      for member in members {
        let inputs = try MergeInputs(
          models: [member.models[model].source(isCancelled: isCancelled)],
          base: member.base.source(isCancelled: isCancelled), isWide: isWide, workspace: workspace)
        try inputs.forEachChunk { try body(try inputs.taskVector(0, $0)) }
      }
    }
  }
}
