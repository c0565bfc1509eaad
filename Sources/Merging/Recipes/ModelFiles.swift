import Checkpoints
import Foundation
import Support
import Torch
import Weights

/// The weights that a recipe names, opened: their names, shapes and types are known, and their elements are read when
/// they are needed.
struct ModelFiles {
  let model: Recipe.Model
  /// A file, or a folder in Hugging Face's layout.
  let path: String
  let isFolder: Bool
  let weights: Weights
  /// What is added to the weights.
  let adapter: LoraAdapter?

  /// - Parameter folder: where relative paths start.
  /// - Throws: `FileError` naming the file and what is wrong with it.
  init(_ model: Recipe.Model, relativeTo folder: String) throws {
    self.model = model
    // What looks like a revision or an adapter may be part of a file's name with an @ or a plus.
    let plain = Self.local(model.path, folder) == nil ? Self.local(model.description, folder) : nil
    path = try plain ?? Self.locate(model, folder)
    adapter = try (plain == nil ? model.lora : nil).map {
      let parts = $0.split(separator: "@", maxSplits: 1).map(String.init)
      let lora = Recipe.Model(parts[0], revision: parts.count > 1 ? parts[1] : nil)
      return try LoraAdapter(folder: Self.locate(lora, folder))
    }
    var isDirectory: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
    isFolder = isDirectory.boolValue
    weights = try Checkpoint.read(path).weights
  }

  /// A file or folder of that name, in the working folder or beside the recipe: the first that has weights, if one has.
  private static func local(_ name: String, _ folder: String) -> String? {
    let manager = FileManager.default
    let expanded = (name as NSString).expandingTildeInPath
    let beside = URL(fileURLWithPath: folder).appendingPathComponent(expanded).path
    let found = (expanded.hasPrefix("/") ? [expanded] : [expanded, beside]).filter(manager.fileExists(atPath:))
    return found.first { path in
      // A file has no contents of a folder.
      guard let names = try? manager.contentsOfDirectory(atPath: path) else { return true }
      return names.contains { name in [".safetensors", ".bin", ".pt", ".pth"].contains { name.hasSuffix($0) } }
    } ?? found.first
  }

  /// A file or folder of that name, or what the Hugging Face cache holds under it.
  static func locate(_ model: Recipe.Model, _ folder: String) throws -> String {
    if let path = local(model.path, folder) {
      guard let revision = model.revision else { return path }
      throw FileError(model.path, "is here already, and what is here has no revisions; leave out @\(revision)")
    }
    let manager = FileManager.default
    let parts = model.path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") }) else {
      throw FileError(model.path, "is no file or folder")
    }
    let environment = ProcessInfo.processInfo.environment
    let home = environment["HF_HOME"] ?? NSHomeDirectory() + "/.cache/huggingface"
    let cache = (environment["HF_HUB_CACHE"] ?? home + "/hub") + "/models--\(parts[0])--\(parts[1])"
    let revision = model.revision ?? "main"
    let named = try? String(contentsOfFile: cache + "/refs/" + revision, encoding: .utf8)
    let snapshot =
      cache + "/snapshots/" + (named?.trimmingCharacters(in: .whitespacesAndNewlines) ?? revision)
    guard !revision.contains(".."), manager.fileExists(atPath: snapshot) else {
      throw FileError(
        model.description,
        "is no file or folder, and the Hugging Face cache does not hold it; download it first: "
          + "huggingface-cli download \(model.path)\(model.revision.map { " --revision \($0)" } ?? "")")
    }
    return snapshot
  }
}
