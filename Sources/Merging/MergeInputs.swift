import MergeKernels
import Torch

/// One tensor of every input, as a method's arithmetic sees it: read chunk by chunk, in float32, or in float64 where its elements are
/// float64 or integers. One thread uses it.
final class MergeInputs {
  let name: String
  let shape: [Int]
  let count: Int
  let models: [TensorSource]
  let base: TensorSource?
  let kernels: UnsafePointer<VMKernels>
  /// What is kept of task vectors that are trimmed over all tensors of a model together.
  let modelTrim: ModelTrim?
  private let seed: UInt64
  private let workspace: Workspace
  private var loadedBase: Range<Int>?

  /// How many elements are worked on at once, so that a chunk of every input stays in the processor's cache.
  static let chunk = 1 << 14

  init(
    name: String, models: [TensorSource], base: TensorSource?, modelTrim: ModelTrim? = nil, seed: UInt64,
    workspace: Workspace
  ) throws {
    guard let first = models.first ?? base else { throw MergeError("\(name): there is nothing to merge") }
    (self.name, self.models, self.base, self.seed) = (name, models, base, seed)
    (shape, count) = (first.shape, first.count)
    // Magnitudes compare within one working type.
    let isWide = modelTrim?.isWide ?? (models + (base.map { [$0] } ?? [])).contains { $0.needsDouble }
    kernels = workspace.kernels(wide: isWide)
    (self.workspace, self.modelTrim) = (workspace, modelTrim)
  }

  // MARK: Chunks

  /// What a vector of the workspace is for.
  enum Slot: Hashable { case base, result, difference, score, order, sample, inside(Int), model(Int) }

  /// Room for `count` elements that stays until the slot is asked for again.
  func vector(_ slot: Slot, _ count: Int) -> Vector {
    let elements = workspace.memory(slot, bytes: max(1, count) * kernels.pointee.width)
    return Vector(elements: elements, count: count, kernels: kernels)
  }

  /// Calls `body` for each chunk in order; a chunk holds whole groups of `group` elements.
  ///
  /// - Throws: what `body` throws, and `CancellationError` once the merge is to end.
  func forEachChunk(of group: Int = 1, _ body: (Range<Int>) throws -> Void) throws {
    let length = Self.chunkLength(of: group)
    var start = 0
    while start < count {
      try checkCancellation()
      let end = min(count, start + length)
      try body(start..<end)
      start = end
    }
  }

  /// - Throws: `CancellationError` once the merge is to end.
  func checkCancellation() throws {
    if workspace.isCancelled() { throw CancellationError() }
  }

  /// How many elements a chunk of whole groups has, unless it is the last.
  static func chunkLength(of group: Int) -> Int { max(group, chunk / max(1, group) * group) }

  /// Wᵢ at `range`
  func model(_ index: Int, _ range: Range<Int>) -> Vector { load(models[index], range, .model(index)) }

  /// Wᵢ at `range`, in other memory than that of `model(_:_:)`.
  func load(_ index: Int, _ range: Range<Int>, into target: Vector) {
    models[index].load(range, into: target)
  }

  /// W₀ at `range`; `MergeMethod.requireInputs` made sure of the base.
  func baseVector(_ range: Range<Int>) throws -> Vector {
    guard let base else { throw MergeError("\(name): the base is missing") }
    if loadedBase == range { return vector(.base, range.count) }
    loadedBase = range
    return load(base, range, .base)
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

  /// W₀ at `range`, into the vector.
  func copyBase(to result: Vector, _ range: Range<Int>) throws {
    guard let base else { throw MergeError("\(name): the base is missing") }
    base.load(range, into: result)
  }

  /// W₀ at `range`, added to the vector.
  func addBase(to result: Vector, _ range: Range<Int>) throws {
    if let base, let start = base.address(of: range.lowerBound) {
      kernels.pointee.addStored(base.dtype.rawValue, start, result.elements, range.count)
    } else {
      result.add(try baseVector(range))
    }
  }

  /// Every δᵢ at `range`
  func taskVectors(_ range: Range<Int>) throws -> [Vector] { try models.indices.map { try taskVector($0, range) } }

  /// Everything that `load` gives chunk by chunk, as one tensor of libtorch's.
  func whole(_ load: (Range<Int>) throws -> Vector) throws -> Tensor {
    let isWide = kernels.pointee.width == 8
    let tensor = try Tensor.empty(shape, dtype: isWide ? .float64 : .float32)
    try tensor.withUnsafeBytes { bytes in
      guard let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress) else { return }
      try forEachChunk { range in
        let target = start + range.lowerBound * kernels.pointee.width
        Vector(elements: target, count: range.count, kernels: kernels).copy(try load(range))
      }
    }
    return tensor
  }

  private func load(_ source: TensorSource, _ range: Range<Int>, _ slot: Slot) -> Vector {
    let result = vector(slot, range.count)
    source.load(range, into: result)
    return result
  }

  /// What is kept of each model's task vector where the whole model is trimmed at once.
  func modelSelections() throws -> [VMSelection] {
    guard let modelTrim else { throw MergeError("\(name): is no part of the model that is trimmed") }
    return try modelTrim.selections(isCancelled: workspace.isCancelled)
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
    // SplitMix64's last steps: spread every bit over the word.
    hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
    hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
    return hash ^ (hash >> 31)
  }
}

extension TensorSource {
  /// Whether float32 would lose something of the elements.
  var needsDouble: Bool { dtype == .float64 || !dtype.isFloatingPoint }
}

/// A thread's working memory, kept from tensor to tensor.
final class Workspace {
  let isCancelled: @Sendable () -> Bool
  private var areas: [MergeInputs.Slot: UnsafeMutableRawBufferPointer] = [:]
  private let single = Vector.kernels(wide: false)
  private let double = Vector.kernels(wide: true)

  init(isCancelled: @escaping @Sendable () -> Bool = { false }) { self.isCancelled = isCancelled }

  func kernels(wide: Bool) -> UnsafePointer<VMKernels> { wide ? double : single }

  func memory(_ slot: MergeInputs.Slot, bytes: Int) -> UnsafeMutableRawPointer {
    if let area = areas[slot], let address = area.baseAddress, area.count >= bytes { return address }
    areas[slot]?.deallocate()
    let area = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 64)
    areas[slot] = area
    return area.baseAddress.unsafelyUnwrapped
  }

  deinit { for area in areas.values { area.deallocate() } }
}
