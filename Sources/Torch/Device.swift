import CTorch

/// Where a tensor lives.
public struct Device: Sendable, Hashable, CustomStringConvertible {
  enum Kind: Int64, Sendable { case cpu = 0, cuda = 1 }
  let kind: Kind
  /// Which of several; 0 for the CPU.
  public let index: Int

  public static let cpu = Device(kind: .cpu, index: 0)

  /// The GPU with this number.
  public static func cuda(_ index: Int = 0) -> Device { Device(kind: .cuda, index: index) }

  public var isCPU: Bool { kind == .cpu }

  /// How many CUDA devices there are: 0 unless `libtorch_cuda` lies beside libtorch and the driver finds a GPU.
  public static var cudaCount: Int { Int(libtorch.cuda_devices()) }

  /// Reads "cpu", "cuda" or "cuda:1"; throws when it is none of these or when there is no such device.
  public init(_ name: String) throws {
    if name == "cpu" {
      self = .cpu
      return
    }
    let parts = name.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.first == "cuda", parts.count <= 2, let index = parts.count == 1 ? 0 : Int(parts[1]), index >= 0 else {
      throw TorchError(operation: "device", message: "'\(name)' is no device; use cpu, cuda or cuda:N")
    }
    let count = Device.cudaCount
    guard index < count else {
      throw TorchError(operation: "device", message: "there is no \(name): \(count) CUDA devices found")
    }
    self = .cuda(index)
  }

  init(kind: Kind, index: Int) {
    self.kind = kind
    self.index = index
  }

  init(code: Int64) {
    kind = Kind(rawValue: code >> 8) ?? .cpu
    index = max(0, Int(code & 0xff) - 1)
  }

  var code: Int64 { (kind.rawValue << 8) | (isCPU ? 0 : Int64(index) + 1) }

  public var description: String { isCPU ? "cpu" : "cuda:\(index)" }

  /// Waits until the device has done all it was given.
  public func synchronize() throws {
    if !isCPU { try check(libtorch.cuda_synchronize(Int32(index)), "synchronize") }
  }
}

/// Facts about, and settings of, the libtorch this process runs on.
public enum Libtorch {
  /// Why it cannot be loaded; nil when it can. It is loaded at the first use of a tensor, which ends the process when that fails.
  public static var trouble: String? {
    if case .failure(let error) = Library.opened { error.message } else { nil }
  }

  /// "2.11.0"
  public static var version: String { String(cString: libtorch.version()) }

  /// The vector instructions its kernels were chosen for: "AVX512", "AVX2", "DEFAULT", …
  public static var cpuCapability: String { String(cString: libtorch.cpu_capability()) }

  /// How many threads an operator may use. Results are bit-identical only between runs with the same number.
  public static var threads: Int { Int(libtorch.threads()) }

  /// For a process that does nothing but train: lets freed memory stay with it. A training step frees and asks again for the same large
  /// blocks, which the C library otherwise hands back to the system, which clears every page anew. Changes the whole process; has an
  /// effect with glibc only. `Benchmarks/README.md` has what it saves.
  public static func keepFreedMemory() { libtorch.keep_freed_memory() }

  /// Sets how many threads an operator of this process may use, at least 1.
  public static func setThreads(_ count: Int) { libtorch.set_threads(Int32(max(1, count))) }

  /// Runs `body` with operators on this thread alone: for work that is shared out between threads by other means, and whose results must
  /// not depend on how many there are. The setting belongs to the thread, so `body` must not suspend.
  public static func withOneThread<Result>(_ body: () throws -> Result) rethrows -> Result {
    let former = libtorch.set_threads_here(1)
    defer { _ = libtorch.set_threads_here(former) }
    return try body()
  }

  /// Makes operators choose deterministic algorithms, or fail where there is none.
  public static func setDeterministic(_ enabled: Bool) throws {
    try check(libtorch.set_deterministic(enabled), "setDeterministic")
  }
}
