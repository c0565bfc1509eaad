import CTorch

/// The processor or GPU whose memory holds a tensor, and which computes on it.
public struct Device: Sendable, Hashable, CustomStringConvertible {
  enum Kind: Int64, Sendable { case cpu = 0, cuda = 1 }
  let kind: Kind
  /// Which of several; 0 for the CPU.
  public let index: Int

  /// The processor.
  public static let cpu = Device(kind: .cpu, index: 0)

  /// The NVIDIA GPU with this number, counted from 0; whether there is one shows when it is used.
  public static func cuda(_ index: Int = 0) -> Device { Device(kind: .cuda, index: index) }

  /// Whether it is the processor: only then can a tensor's memory be read directly.
  public var isCPU: Bool { kind == .cpu }

  /// How many CUDA devices there are: 0 unless `libtorch_cuda` lies beside libtorch and the driver finds a GPU.
  public static var cudaCount: Int { Int(libtorch.cuda_devices()) }

  /// The device called "cpu", "cuda" or "cuda:1".
  ///
  /// - Throws: `TorchError` when the name is none of these, or there is no such device.
  public init(_ name: String) throws {
    if name == "cpu" {
      self = .cpu
      return
    }
    let parts = name.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.first == "cuda", parts.count <= 2, let index = parts.count == 1 ? 0 : Int(parts[1]), index >= 0 else {
      throw TorchError(operation: "device", message: "'\(name)' is not a device; use cpu, cuda or cuda:N")
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

  /// "cpu" or "cuda:1", as PyTorch writes it.
  public var description: String { isCPU ? "cpu" : "cuda:\(index)" }

  /// Waits until the device has done all it was given; `torch.cuda.synchronize`. The processor never has to be waited
  /// for.
  ///
  /// - Throws: `TorchError` with what went wrong in work given earlier.
  public func synchronize() throws {
    if !isCPU { try check(libtorch.cuda_synchronize(Int32(index)), "synchronize") }
  }
}

/// Facts about, and settings of, the libtorch this process runs on.
public enum Libtorch {
  /// Why it cannot be loaded; nil when it can. It is loaded when the first tensor is used, and the process ends if that
  /// fails.
  public static var trouble: String? {
    if case .failure(let error) = Library.opened { error.message } else { nil }
  }

  /// libtorch's version: "2.11.0".
  public static var version: String { String(cString: libtorch.version()) }

  /// The vector instructions its kernels were chosen for: "AVX512", "AVX2", "DEFAULT", …
  public static var cpuCapability: String { String(cString: libtorch.cpu_capability()) }

  /// How many threads an operator may use; `torch.get_num_threads`. Only runs with the same number give the same bits.
  public static var threads: Int { Int(libtorch.threads()) }

  /// Keeps freed memory with the process, for one that does nothing but train.
  ///
  /// A training step frees and asks again for the same large blocks. Otherwise the C library hands them back to the
  /// system, which clears every page anew. This changes the whole process and has an effect with glibc only.
  /// `Benchmarks/README.md` says what it saves.
  public static func keepFreedMemory() { libtorch.keep_freed_memory() }

  /// Sets how many threads an operator of this process may use, at least 1; `torch.set_num_threads`.
  public static func setThreads(_ count: Int) { libtorch.set_threads(Int32(max(1, count))) }

  /// Runs `body` with operators on this thread alone. For work that is divided among threads by other means and whose
  /// results must not depend on how many there are. The setting belongs to the thread, so `body` must not suspend.
  public static func withOneThread<Result>(_ body: () throws -> Result) rethrows -> Result {
    let former = libtorch.set_threads_here(1)
    defer { _ = libtorch.set_threads_here(former) }
    return try body()
  }

  /// Makes operators choose deterministic algorithms, and throw where there is none;
  /// `torch.use_deterministic_algorithms`.
  public static func setDeterministic(_ enabled: Bool) throws {
    try check(libtorch.set_deterministic(enabled), "setDeterministic")
  }
}
