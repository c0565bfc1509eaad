import Foundation
import MergeKernels
import Support
import Synchronization
import Torch

/// Runs planned tensors: the one place that goes through a method's passes, whether the result is written to a file,
/// kept in memory, or an input of another merge.
///
/// One thread uses it and its working memory for tensor after tensor. What a tensor becomes depends neither on the
/// threads nor on their order.
final class MergeExecutor {
  /// How many bytes are gathered before they are handed on: few enough to be in the processor's cache still, and whole
  /// elements of every type.
  static let bufferSize = 1 << 19

  private let workspace: Workspace
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferSize, alignment: 64)

  init(isCancelled: @escaping @Sendable () -> Bool = { false }) { workspace = Workspace(isCancelled: isCancelled) }

  deinit { buffer.deallocate() }

  /// Calls `body` for every tensor on up to `threads` threads, each with an executor of its own; the largest tensors
  /// come first.
  ///
  /// - Parameter isCancelled: asked now and then; true ends the merge with `CancellationError`
  /// - Throws: what `body` throws; the other threads then leave their tensors unfinished.
  static func forEach(
    _ tensors: [PlannedTensor], threads: Int, isCancelled: @escaping @Sendable () -> Bool = { false },
    _ body: @Sendable (MergeExecutor, PlannedTensor) throws -> Void
  ) throws {
    let tensors = tensors.sorted { $0.inputByteCount > $1.inputByteCount }
    let hasFailed = Atomic(false)
    try inParallel(
      tensors.count, threads: threads,
      worker: { MergeExecutor { isCancelled() || hasFailed.load(ordering: .relaxed) } }
    ) { executor, index in
      do {
        try body(executor, tensors[index])
      } catch is CancellationError where hasFailed.load(ordering: .relaxed) && !isCancelled() {
        // Another thread has failed, and says why.
      } catch {
        hasFailed.store(true, ordering: .relaxed)
        throw error
      }
    }
  }

  // MARK: One tensor

  /// Merges a tensor and hands on its bytes in order, `bufferSize` at a time but for the last.
  ///
  /// - Parameters:
  ///   - dtype: the type of the bytes; nil is the tensor's own
  ///   - mustBeFinite: whether NaN and infinite elements are an error
  /// - Throws: `MergeError` for elements that are not finite, `CancellationError`, what opening the inputs throws, and
  ///   what `receive` throws.
  func run(
    _ tensor: PlannedTensor, as dtype: DType? = nil, mustBeFinite: Bool = true,
    _ receive: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard tensor.count > 0 else { return }
    let dtype = dtype ?? tensor.dtype
    if dtype == tensor.dtype, let source = tensor.copied { return try copy(source, receive) }
    let inputs = try inputs(of: tensor)
    let pass = try tensor.method.pass(inputs, tensor.settings, isInteger: !tensor.dtype.isFloatingPoint)
    let room = Self.bufferSize / dtype.byteCount
    var gathered = 0
    func send() throws {
      try receive(UnsafeRawBufferPointer(rebasing: buffer[..<(gathered * dtype.byteCount)]))
      gathered = 0
    }
    try inputs.forEachChunk(of: pass.group) { range in
      var rest = inputs.vector(.result, range.count)
      try pass.write(range, rest)
      while rest.count > 0, let start = buffer.baseAddress {
        let count = min(rest.count, room - gathered)
        let isFinite = rest[0..<count].store(start + gathered * dtype.byteCount, dtype.rawValue)
        if mustBeFinite, !isFinite { throw infinite(tensor) }
        gathered += count
        rest = rest[count..<rest.count]
        if gathered == room { try send() }
      }
    }
    if gathered > 0 { try send() }
  }

  /// The merged tensor in memory.
  ///
  /// - Parameters: as those of `run`
  func tensor(_ tensor: PlannedTensor, as dtype: DType? = nil, mustBeFinite: Bool = true) throws -> Tensor {
    let result = try Tensor.empty(tensor.shape, dtype: dtype ?? tensor.dtype)
    try result.withUnsafeBytes { bytes in
      // Nobody else has the tensor yet.
      var target = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
      try run(tensor, as: dtype, mustBeFinite: mustBeFinite) { part in
        part.baseAddress.map { target?.copyMemory(from: $0, byteCount: part.count) }
        target = target.map { $0 + part.count }
      }
    }
    return result
  }

  private func inputs(of tensor: PlannedTensor) throws -> MergeInputs {
    try MergeInputs(
      name: tensor.name, models: tensor.models.map { try $0.source(isCancelled: workspace.isCancelled) },
      base: tensor.base?.source(isCancelled: workspace.isCancelled), isWide: tensor.modelTrim?.isWide,
      selections: tensor.modelTrim?.selections(isCancelled: workspace.isCancelled), seed: tensor.seed,
      workspace: workspace)
  }

  private func copy(_ source: TensorSource, _ receive: (UnsafeRawBufferPointer) throws -> Void) throws {
    guard let start = source.address(of: 0) else { return }
    let bytes = UnsafeRawBufferPointer(start: start, count: source.inputByteCount)
    for place in stride(from: 0, to: bytes.count, by: Self.bufferSize) {
      if workspace.isCancelled() { throw CancellationError() }
      try receive(UnsafeRawBufferPointer(rebasing: bytes[place..<min(bytes.count, place + Self.bufferSize)]))
    }
  }

  // MARK: Elements that are not finite

  /// Which inputs made an element of the result NaN or infinite.
  private func infinite(_ tensor: PlannedTensor) -> MergeError {
    let culprits = zip(tensor.sources, tensor.operands).filter { _, operand in
      guard let source = operand as? TensorSource, source.dtype.isFloatingPoint else { return false }
      return (try? isFinite(source)) == false
    }.map(\.0)
    return MergeError(
      "\(tensor.name) would have NaN or infinite elements"
        + (culprits.isEmpty
          ? "; choose smaller weights or another dtype" : ", as \(culprits.joined(separator: ", ")) has")
        + "; nothing was written")
  }

  private func isFinite(_ source: TensorSource) throws -> Bool {
    let inputs = try MergeInputs(models: [source], workspace: workspace)
    var isFinite = true
    try inputs.forEachChunk { range in
      let (vector, target) = (inputs.model(0, range), inputs.vector(.score, range.count))
      if !vector.store(target.elements, inputs.dtype.rawValue) { isFinite = false }
    }
    return isFinite
  }
}

/// A merge whose result is an input of another is computed when it is needed, and not rounded to its own type.
extension PlannedTensor: Operand {
  var workingByteCount: Int { count * 4 + mergingByteCount }

  func source(isCancelled: @escaping @Sendable () -> Bool) throws -> TensorSource {
    try TensorSource(
      MergeExecutor(isCancelled: isCancelled).tensor(
        self, as: dtype.needsDouble ? .float64 : .float32, mustBeFinite: false))
  }
}
