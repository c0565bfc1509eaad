import Checkpoints
import Merging
import Torch
import Weights

extension DataMethod {
  /// Each layer's outputs as near to those of the models as they can be.
  static let regMean = DataMethod(
    MergeMethod(
      "regmean",
      "(Σ Gᵢ)⁻¹ Σ GᵢWᵢ for linear layers and convolutions, with Gᵢ = XᵀX / n over their inputs, reduced off the "
        + "diagonal",
      source: "https://arxiv.org/abs/2212.09849", base: .none, models: 2..., data: .examples,
      parameters: RegMean.parameters)
  ) { merge in
    let grams = try merge.models.indices.map { index in
      merge.progress("layers' inputs", index, merge.models.count)
      return try RegMean.grams(merge, index, merge.models[index]) { _ in true }
    }
    let weights = try RegMean.merged(merge, grams)
    return DataMergeResult(weights, notes: [RegMean.note(merge, weights)])
  }

  /// The same, with the inputs that layers have behind the merged layers before them.
  static let regMeanPlus = DataMethod(
    MergeMethod(
      "regmean_plus", "as regmean, block by block, with the inputs that the merged blocks before give (RegMean++)",
      source: "https://arxiv.org/abs/2508.03121", base: .none, models: 2..., data: .examples,
      parameters: RegMean.parameters)
  ) { merge in
    // Outside of blocks, and where no layer is merged so, tensors are averaged from the start.
    let order = try RegMean.grams(merge, 0, merge.models[0]) { _ in true }.names
    var blocks: [(name: String, layers: [String])] = []
    for layer in order {
      let block = RegMean.block(of: layer)
      if let place = blocks.firstIndex(where: { $0.name == block }) {
        blocks[place].layers.append(layer)
      } else {
        blocks.append((block, [layer]))
      }
    }
    let waiting = Set(blocks.map(\.name))
    var merged = try merge.averaged { !waiting.contains(RegMean.block(of: $0)) }
    var covered = Weights()
    for (done, block) in blocks.enumerated() {
      merge.progress("blocks", done, blocks.count)
      let layers = Set(block.layers)
      let grams = try merge.models.indices.map { index in
        let point = merge.models[index].mapTensors { name, tensor in merged[name] ?? tensor }
        return try RegMean.grams(merge, index, point) { layers.contains($0) }
      }
      let part = try RegMean.merged(merge, grams)
      for (name, tensor) in part { (merged[name], covered[name]) = (tensor, tensor) }
      let rest = try merge.averaged { RegMean.block(of: $0) == block.name && merged[$0] == nil }
      for (name, tensor) in rest { merged[name] = tensor }
    }
    return DataMergeResult(merged, notes: [RegMean.note(merge, covered)])
  }
}

private enum RegMean {
  static let parameters: [MergeParameter] = [
    .integer("examples", from: 1, default: 256, "how many examples of each dataset the networks look at"),
    .number(
      "off_diagonal", from: 0, to: 1, default: 0.1,
      "the factor of Gram matrices off their diagonals (FusionBench: 0.95 for CLIP, 0.6 for GPT-2)"),
  ]

  /// The Gram matrices of the wanted layers for model `index`'s data, the network standing at `point`.
  static func grams(_ merge: DataMerge, _ index: Int, _ point: Weights, _ isWanted: (String) -> Bool) throws -> Weights
  {
    let task = merge.task(of: index)
    return try merge.at(point, task: task) { network in
      try LayerInputs(
        of: network, on: merge.tasks[task].data,
        examples: merge.examples(task, Int(merge.settings.number("examples"))),
        isWanted: { isWanted($0) && merge.models[0][$0] != nil }
      ).grams
    }
  }

  static func merged(_ merge: DataMerge, _ grams: [Weights]) throws -> Weights {
    let factor = try merge.settings.number("off_diagonal")
    let transposed = Set(merge.tasks[0].network.linearLayers().filter(\.isTransposed).map(\.weight))
    return try Weights(
      (grams.first?.names ?? []).compactMap { name in
        let parts = grams.compactMap { $0[name] }
        let tensors = merge.models.compactMap { $0[name] }
        guard parts.count == tensors.count else { return nil }
        guard transposed.contains(name) else {
          return (name, try regressionMean(tensors, grams: parts, offDiagonal: factor))
        }
        let turned = try tensors.map { try $0.transpose() }
        let merged = try regressionMean(turned, grams: parts, offDiagonal: factor)
        return (name, try merged.transpose().contiguous())
      })
  }

  /// What stands before the first number in a name, and the number: `encoder.layers.3.`; without a number the module.
  static func block(of name: String) -> String {
    let parts = name.split(separator: ".")
    let end = parts.firstIndex { Int($0) != nil } ?? parts.count - 2
    return parts.prefix(end + 1).map { $0 + "." }.joined()
  }

  static func note(_ merge: DataMerge, _ covered: Weights) -> String {
    let total = merge.models[0].names.count
    return "\(covered.count) of \(total) tensors are merged by their layers' inputs, the others averaged"
  }
}

/// The weights [outputs, …] whose outputs are nearest to those of all `weights` on their inputs, in float64 and rounded
/// once. Where no input ever differs from 0, the weights are averaged.
///
/// - Parameters:
///   - weights: of one shape
///   - grams: XᵀX / n of each one's inputs, [inputs, inputs]
///   - offDiagonal: the factor of the Gram matrices off their diagonals
/// - Throws: `TorchError`
public func regressionMean(_ weights: [Tensor], grams: [Tensor], offDiagonal: Double) throws -> Tensor {
  try withoutGradients {
    let scaled = try grams.map { gram in
      let diagonal = try Tensor.eye(gram.shape[0], dtype: .float64, device: gram.device)
      return try gram * (diagonal * (1 - offDiagonal) + offDiagonal)
    }
    let matrices = try weights.map { try $0.to(.float64).reshape([$0.shape[0], -1]) }
    let total = try scaled.dropFirst().reduce(scaled[0]) { try $0 + $1 }
    var target = try matrices[0].zerosLike()
    for (matrix, gram) in zip(matrices, scaled) { target = try target + matrix.matmul(gram) }
    // A trace of the mean makes it solvable where inputs are always 0.
    let scale = try total.diagonal().mean().item()
    let ridge = scale > 0 ? scale * 1e-10 : 1
    let mean = try matrices.dropFirst().reduce(matrices[0]) { try $0 + $1 } / Double(matrices.count)
    let identity = try Tensor.eye(total.shape[0], dtype: .float64, device: total.device)
    let merged = try (total + identity * ridge).solve((target + mean * ridge).transpose()).transpose()
    return try merged.reshape(weights[0].shape).to(weights[0].dtype).contiguous()
  }
}
