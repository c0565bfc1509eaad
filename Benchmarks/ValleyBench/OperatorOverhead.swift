import ArgumentParser
import CTorch
import Torch

/// What one operator costs over libtorch's own time: `a + b` on sixteen elements, from Swift and from a loop in C++.
struct OperatorOverhead: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Seconds per operator from Swift; the reference is from C++.")

  @OptionGroup var options: RepetitionOptions

  @Option(help: "Operators per repetition.")
  var operators = 20_000

  func run() throws {
    let elements = [Float](repeating: 1, count: 16)
    let a = try Tensor(elements)
    let b = try Tensor(elements)
    let handles = (try elements.handle(), try elements.handle())
    defer {
      libtorch.tensor_release(handles.0)
      libtorch.tensor_release(handles.1)
    }
    var swift: [Double] = []
    var reference: [Double] = []
    // A repetition runs both loops, one after the other, so that they meet the same machine.
    var timing = try Timing.measure("operator-overhead", options) {
      var nanoseconds = 0.0
      try check(libtorch.time_add(handles.0, handles.1, operators, &nanoseconds))
      reference.append(nanoseconds * 1e-9)
      swift.append(try Timing.seconds { for _ in 0..<operators { _ = try a + b } } / Double(operators))
    }
    timing.seconds = Array(swift.dropFirst(options.warmup))
    timing.reference = Array(reference.dropFirst(options.warmup))
    try timing.report()
  }
}

/// An error text of the C interface.
private struct CTorchError: Error, CustomStringConvertible {
  var description: String
}

private func check(_ error: VTError?) throws {
  guard let error else { return }
  defer { libtorch.free(error) }
  throw CTorchError(description: String(cString: error))
}

extension [Float] {
  /// A tensor over a copy, owned by the caller.
  fileprivate func handle() throws -> VTTensor? {
    var result: VTTensor?
    var size = Int64(count)
    try withUnsafeBytes { bytes in
      try check(libtorch.tensor_from_memory(bytes.baseAddress, DType.float32.rawValue, &size, 1, nil, nil, &result))
    }
    return result
  }
}
