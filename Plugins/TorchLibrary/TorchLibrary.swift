import Foundation
import PackagePlugin

/// Compiles `Sources/CTorch/CTorch.cpp` and links it with libtorch to a library of its own, a resource of the target
/// `Torch`, which opens it when the first tensor is asked for. (Linked into a program, libtorch would be loaded at
/// every start.)
@main
struct TorchLibrary: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let package = context.package.directoryURL
    // A folder with include/ and lib/, or the link `make bootstrap` makes.
    let torch = ProcessInfo.processInfo.environment["TORCH_DIR"] ?? path(package.appending(path: ".libtorch"))
    let folder = package.appending(path: "Sources/CTorch")
    let source = folder.appending(path: "CTorch.cpp")
    let library = context.pluginWorkDirectoryURL.appending(path: "libvalley-torch.so")
    return [
      .buildCommand(
        displayName: "Compiling \(library.lastPathComponent)", executable: try context.tool(named: "clang++").url,
        arguments: [
          "-std=c++20", "-O2", "-fPIC", "-shared", "-Wall", "-Werror", "-isystem", "\(torch)/include",
          "-isystem", "\(torch)/include/torch/csrc/api/include", path(source), "-L\(torch)/lib",
          "-Wl,-rpath,\(torch)/lib", "-ltorch_cpu", "-lc10", "-o", path(library),
        ],
        inputFiles: [
          source, folder.appending(path: "CTorch.h"),
          URL(fileURLWithPath: "\(torch)/include/torch/csrc/api/include/torch/version.h"),
        ],
        outputFiles: [library])
    ]
  }

  /// As programs take it: a blank stays a blank.
  private func path(_ url: URL) -> String { url.path(percentEncoded: false) }
}
