import MergeKernels
import Support
import Torch

/// One tensor of every input, as a method's arithmetic sees it: read chunk by chunk, in float32, or in float64 where
/// elements of an input are float64 or integers. One thread uses it.
final class MergeInputs {
  let name: String
  let shape: [Int]
  let models: [TensorSource]
  let base: TensorSource?
  let chunks: Chunks
  private let selections: [VMSelection]?
  private let seed: UInt64
  private var loadedBase: (range: Range<Int>, vector: Vector)?

  /// - Parameters:
  ///   - isWide: whether to work in float64; nil where the inputs' types decide
  ///   - selections: what is kept of each task vector, where these are trimmed over the whole model
  /// - Throws: `MergeError` where there is no input.
  init(
    name: String = "", models: [TensorSource], base: TensorSource? = nil, isWide: Bool? = nil,
    selections: [VMSelection]? = nil, seed: UInt64 = 0, workspace: Workspace
  ) throws {
    guard let first = models.first ?? base else { throw MergeError("\(name): there is nothing to merge") }
    (self.name, self.models, self.base, self.seed) = (name, models, base, seed)
    (shape, self.selections) = (first.shape, selections)
    let isWide = isWide ?? (models + (base.map { [$0] } ?? [])).contains(where: \.dtype.needsDouble)
    chunks = Chunks(count: first.count, kernels: workspace.kernels(wide: isWide), workspace: workspace)
  }

  // MARK: Chunks

  var count: Int { chunks.count }
  var kernels: UnsafePointer<VMKernels> { chunks.kernels }
  /// The working type.
  var dtype: DType { kernels.pointee.width == 8 ? .float64 : .float32 }

  /// Room for `count` elements, until the slot is asked for again.
  func vector(_ slot: Workspace.Slot, _ count: Int) -> Vector { chunks.vector(slot, count) }

  /// Calls `body` for each chunk in order, as `Chunks.forEach` does.
  func forEachChunk(of group: Int = 1, _ body: (Range<Int>) throws -> Void) throws {
    try chunks.forEach(of: group, body)
  }

  // MARK: Elements

  /// Wᵢ at `range`
  func model(_ index: Int, _ range: Range<Int>) -> Vector { load(models[index], range, .model(index)) }

  /// W₀ at `range`; `MergeMethod.requireInputs` made sure of the base.
  func baseVector(_ range: Range<Int>) throws -> Vector {
    if let loadedBase, loadedBase.range == range { return loadedBase.vector }
    let vector = load(try requiredBase(), range, .base)
    loadedBase = (range, vector)
    return vector
  }

  /// δᵢ = Wᵢ − W₀ at `range`
  func taskVector(_ index: Int, _ range: Range<Int>) throws -> Vector {
    let (model, delta) = (models[index], vector(.model(index), range.count))
    if let base, let start = base.address(of: range.lowerBound), let address = model.address(of: range.lowerBound) {
      kernels.pointee.loadDifference(
        model.dtype.rawValue, address, base.dtype.rawValue, start, delta.elements, range.count)
    } else {
      model.load(range, into: delta)
      delta.subtract(try baseVector(range))
    }
    return delta
  }

  /// Every δᵢ at `range`
  func taskVectors(_ range: Range<Int>) throws -> [Vector] { try models.indices.map { try taskVector($0, range) } }

  /// Writes W₀ at `range` to the vector.
  func copyBase(to result: Vector, _ range: Range<Int>) throws { try requiredBase().load(range, into: result) }

  /// Adds W₀ at `range` to the vector.
  func addBase(to result: Vector, _ range: Range<Int>) throws {
    if let base, let start = base.address(of: range.lowerBound) {
      kernels.pointee.addStored(base.dtype.rawValue, start, result.elements, range.count)
    } else {
      result.add(try baseVector(range))
    }
  }

  /// What is kept of each model's task vector, where the whole model is trimmed at once.
  func modelSelections() throws -> [VMSelection] {
    guard let selections else { throw MergeError("\(name): is no part of the model that is trimmed") }
    return selections
  }

  private func requiredBase() throws -> TensorSource {
    guard let base else { throw MergeError("\(name): the base is missing") }
    return base
  }

  private func load(_ source: TensorSource, _ range: Range<Int>, _ slot: Workspace.Slot) -> Vector {
    let result = vector(slot, range.count)
    source.load(range, into: result)
    return result
  }

  // MARK: Tensors

  /// A tensor of the working type, into whose memory `fill` writes the elements at each chunk of `range`.
  func tensor(_ range: Range<Int>, shape: [Int], _ fill: (Range<Int>, Vector) throws -> Void) throws -> Tensor {
    let tensor = try Tensor.empty(shape, dtype: dtype)
    let part = Chunks(count: range.count, kernels: kernels, workspace: chunks.workspace)
    try tensor.withUnsafeBytes { bytes in
      // Nobody else has the tensor yet.
      guard let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress) else { return }
      let whole = Vector(elements: start, count: range.count, kernels: kernels)
      try part.forEach { try fill(range.lowerBound + $0.lowerBound..<range.lowerBound + $0.upperBound, whole[$0]) }
    }
    return tensor
  }

  /// Everything that `load` gives chunk by chunk, in the working type.
  func whole(_ load: (Range<Int>) throws -> Vector) throws -> Tensor {
    try tensor(0..<count, shape: shape) { $1.copy(try load($0)) }
  }

  // MARK: Chance

  /// Which random numbers one model's tensor gets: a matter of the seed, its name and the model's position alone.
  func randomKey(model: Int) -> UInt64 {
    // FNV-1a: the same on every machine, which Swift's hashing is not.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    let parts = [Array(name.utf8), withUnsafeBytes(of: UInt64(model).littleEndian, Array.init)]
    for byte in parts.joined() + withUnsafeBytes(of: seed.littleEndian, Array.init) {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    return SplitMix64.mix(hash)
  }
}
