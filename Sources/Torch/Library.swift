import CTorch
import Foundation

/// libtorch, loaded at the first use.
package let libtorch: VTFunctions = {
  switch Library.opened {
  case .success(let functions): functions
  case .failure(let error): Library.end(error, remedy: "; run `make bootstrap`, then build again")
  }
}()

/// The library that the plugin `TorchLibrary` compiles from `CTorch.cpp`. It lies in the bundle of this target's
/// resources.
enum Library {
  /// Stays open as long as the process lives.
  static let opened: Result<VTFunctions, TorchError> = {
    let name = "libvalley-torch"
    guard let path = Bundle.module.path(forResource: name, ofType: "so") else {
      return .failure(refusal("\(name).so is missing beside the program"))
    }
    avoidWrongKernels()
    // Global, because libtorch's own libraries look up each other's operators.
    guard let library = dlopen(path, RTLD_LAZY | RTLD_GLOBAL) else {
      return .failure(refusal(dlerror().map { String(cString: $0) } ?? "\(path) cannot be opened"))
    }
    typealias Functions = @convention(c) () -> UnsafePointer<VTFunctions>
    guard let symbol = dlsym(library, "vt_functions") else { return .failure(refusal("\(path) is another library")) }
    return .success(unsafeBitCast(symbol, to: Functions.self)().pointee)
  }()

  /// Keeps oneDNN from its kernels for AVX2, which it takes on processors without AVX-512: libtorch 2.11's give wrong
  /// gradients of convolutions in channels_last there, and write beyond their memory. Who sets the variable decides.
  private static func avoidWrongKernels() {
    #if os(Linux) && arch(x86_64)
      guard let processor = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8),
        !processor.contains("avx512f")
      else { return }
      setenv("ONEDNN_MAX_CPU_ISA", "AVX", 0)
    #endif
  }

  /// Ends the program, as the system does when it cannot find a program's libraries: every use of a tensor would fail.
  static func end(_ error: any Error, remedy: String = "") -> Never {
    FileHandle.standardError.write(Data("Error: \(error)\(remedy)\n".utf8))
    exit(71)  // EX_OSERR
  }

  private static func refusal(_ message: String) -> TorchError {
    TorchError(operation: "loading libtorch", message: message)
  }
}
