import Torch

/// Runs arithmetic over plain tensors as a pass over chunks.
enum TensorArithmetic {
  /// How many elements an elementwise method gets at once: enough to outweigh calling libtorch's operators, and few
  /// enough for the processor's cache.
  private static let piece = 1 << 16

  /// - Parameters:
  ///   - method: the method's name
  ///   - combine: gives the merged tensor, of the inputs' shape
  /// - Throws: what `combine` throws, and `MergeError` where its result has another shape.
  static func pass(
    _ inputs: MergeInputs, by method: String, isElementwise: Bool,
    _ combine: @escaping (_ models: [Tensor], _ base: Tensor?) throws -> Tensor
  ) throws -> MergePass {
    func merged(_ range: Range<Int>, _ shape: [Int]) throws -> TensorSource {
      func tensor(_ source: TensorSource) throws -> Tensor {
        try inputs.tensor(range, shape: shape) { source.load($0, into: $1) }
      }
      // One libtorch thread to each of the engine's, so that results do not depend on how many there are.
      let result = try Libtorch.withOneThread {
        try withoutGradients { try combine(inputs.models.map(tensor), inputs.base.map(tensor)) }
      }
      guard result.shape == shape, result.dtype.canBeMerged else {
        throw MergeError(
          "\(inputs.name): \(method) gave \(result.shapeDescription) for inputs of shape \(shape); it must give a "
            + "tensor of "
            + "that shape with real elements")
      }
      return try TensorSource(result)
    }
    if isElementwise {
      return MergePass(group: piece) { range, target in
        try merged(range, [range.count]).load(0..<range.count, into: target)
      }
    }
    let whole = try merged(0..<inputs.count, inputs.shape)
    return MergePass { range, target in whole.load(range, into: target) }
  }
}
