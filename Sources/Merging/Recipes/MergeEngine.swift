import Checkpoints
import Foundation
import MergeKernels
import Synchronization
import Torch

/// Carries out a plan: each thread takes the largest tensor left, reads its inputs chunk by chunk from the mapped files, and writes the
/// result where it belongs. What a tensor becomes depends neither on the threads nor on their order.
final class MergeEngine: Sendable {
  private let writers: [String: TensorWriter]
  private let progress: @Sendable (Int) -> Void
  private let isCancelled: @Sendable () -> Bool
  private let sumsUp: Bool

  private struct State {
    var rest: [PlannedTensor]
    var done = 0
    var failure: (any Error)?
    var checksums: [String: UInt64] = [:]
  }
  private let state: Mutex<State>

  /// - Parameters:
  ///   - writers: the file of each tensor
  ///   - sumsUp: whether checksums are wanted
  ///   - progress: told the bytes written so far, by one thread at a time
  init(
    _ tensors: [PlannedTensor], writers: [String: TensorWriter], sumsUp: Bool,
    progress: @escaping @Sendable (Int) -> Void, isCancelled: @escaping @Sendable () -> Bool
  ) {
    (self.writers, self.progress, self.isCancelled) = (writers, progress, isCancelled)
    self.sumsUp = sumsUp
    // Taken from the end.
    state = Mutex(State(rest: tensors.sorted { $0.inputByteCount < $1.inputByteCount }))
  }

  /// Checksums of the tensors' bytes, by name.
  func run(threads: Int) throws -> [String: UInt64] {
    DispatchQueue.concurrentPerform(iterations: max(1, threads)) { _ in
      let workspace = Workspace { [self] in isCancelled() || state.withLock { $0.failure != nil } }
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: TensorWriter.bufferSize, alignment: 64)
      defer { buffer.deallocate() }
      while let tensor = next() {
        do {
          let sum = try write(tensor, workspace, buffer)
          state.withLock { $0.checksums[tensor.name] = sum }
        } catch {
          state.withLock { if $0.failure == nil || $0.failure is CancellationError { $0.failure = error } }
        }
      }
    }
    return try state.withLock {
      if let failure = $0.failure { throw failure }
      return $0.checksums
    }
  }

  private func next() -> PlannedTensor? {
    state.withLock { $0.failure == nil ? $0.rest.popLast() : nil }
  }

  private func write(_ tensor: PlannedTensor, _ workspace: Workspace, _ buffer: UnsafeMutableRawBufferPointer) throws
    -> UInt64
  {
    guard let writer = writers[tensor.name] else { throw MergeError("\(tensor.name): has no file to go to") }
    var (written, gathered, checksum) = (0, 0, UInt64(0))
    func send(_ bytes: UnsafeRawBufferPointer) throws {
      guard let address = bytes.baseAddress, !bytes.isEmpty else { return }
      if sumsUp { checksum &+= vm_checksum(address, bytes.count, UInt64(written)) }
      try writer.write(bytes, of: tensor.name, at: written)
      written += bytes.count
      state.withLock {
        $0.done += bytes.count
        progress($0.done)
      }
    }
    if let source = tensor.copied {
      var start = 0
      while start < source.count {
        if workspace.isCancelled() { throw CancellationError() }
        let end = min(source.count, start + TensorWriter.bufferSize / 8)
        if let address = source.address(of: start) {
          try send(UnsafeRawBufferPointer(start: address, count: (end - start) * source.dtype.byteCount))
        }
        start = end
      }
      return checksum
    }
    try tensor.forEachMerged(workspace) { range, result in
      let size = range.count * tensor.dtype.byteCount
      if gathered + size > buffer.count {
        try send(UnsafeRawBufferPointer(rebasing: buffer[..<gathered]))
        gathered = 0
      }
      // A chunk of a few very long rows may be longer than the buffer.
      let pieces =
        size <= buffer.count
        ? [0..<range.count]
        : stride(from: 0, to: range.count, by: MergeInputs.chunk)
          .map { $0..<min(range.count, $0 + MergeInputs.chunk) }
      for piece in pieces {
        guard let address = buffer.baseAddress else { return }
        guard result[piece].store(address + gathered, tensor.dtype.rawValue) else { throw tensor.infinite(workspace) }
        gathered += piece.count * tensor.dtype.byteCount
        if pieces.count > 1 {
          try send(UnsafeRawBufferPointer(rebasing: buffer[..<gathered]))
          gathered = 0
        }
      }
    }
    try send(UnsafeRawBufferPointer(rebasing: buffer[..<gathered]))
    return checksum
  }
}

extension PlannedTensor {
  /// Calls the body with each chunk of the merged elements, in order and working precision.
  func forEachMerged(_ workspace: Workspace, _ body: (Range<Int>, Vector) throws -> Void) throws {
    guard count > 0 else { return }
    let inputs = try MergeInputs(
      name: name, models: models.map { try $0.source(workspace) }, base: base?.source(workspace), modelTrim: modelTrim,
      seed: seed, workspace: workspace)
    let pass = try method.pass(inputs, settings, isInteger: !dtype.isFloatingPoint)
    try inputs.forEachChunk(of: pass.group) { range in
      let result = inputs.vector(.result, range.count)
      try pass.write(range, result)
      try body(range, result)
    }
  }

  /// The tensor in memory, not rounded to its own type.
  private func materialised(isCancelled: @escaping @Sendable () -> Bool) throws -> TensorSource {
    let wide = dtype == .float64 || !dtype.isFloatingPoint
    let tensor = try Tensor.zeros(shape, dtype: wide ? .float64 : .float32)
    let source = try TensorSource(tensor)
    let workspace = Workspace(isCancelled: isCancelled)
    try forEachMerged(workspace) { range, result in
      guard let address = source.address(of: range.lowerBound) else { return }
      // Nobody else has the tensor yet.
      _ = result.store(UnsafeMutableRawPointer(mutating: address), source.dtype.rawValue)
    }
    return source
  }

  /// Which inputs made an element of the result NaN or infinite.
  func infinite(_ workspace: Workspace) -> MergeError {
    let culprits = zip(sources, operandsInOrder).filter { _, operand in
      guard case .stored(let source) = operand, source.dtype.isFloatingPoint else { return false }
      return (try? source.isFinite(workspace)) == false
    }.map(\.0)
    return MergeError(
      "\(name) would have NaN or infinite elements"
        + (culprits.isEmpty
          ? "; choose smaller weights or another dtype" : ", as \(culprits.joined(separator: ", ")) has")
        + "; nothing was written")
  }

  private var operandsInOrder: [Operand] { models + (base.map { [$0] } ?? []) }
}

extension PlannedTensor.Operand {
  /// The operand's elements in memory or in a mapped file.
  func source(_ workspace: Workspace) throws -> TensorSource {
    switch self {
    case .stored(let source): source
    case .adapted(let tensor): try tensor.materialised()
    case .merged(let tensor): try tensor.materialised(isCancelled: workspace.isCancelled)
    case .rearranged(let rows): try rows.materialised { try $0.source(workspace) }
    }
  }
}

extension TensorSource {
  fileprivate func isFinite(_ workspace: Workspace) throws -> Bool {
    let inputs = try MergeInputs(name: "", models: [self], base: nil, seed: 0, workspace: workspace)
    var isFinite = true
    try inputs.forEachChunk { range in
      let vector = inputs.model(0, range)
      let target = inputs.vector(.score, range.count)
      if !vector.store(target.elements, inputs.kernels.pointee.width == 8 ? 7 : 6) { isFinite = false }
    }
    return isFinite
  }
}
