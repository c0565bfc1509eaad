import Foundation
import Support
import Torch
import Weights

/// The index of weights in several files, `model.safetensors.index.json`. It says which tensor is in which of the
/// shards beside it.
enum ShardIndex {
  static func read(_ path: String) throws -> Checkpoint.Content {
    let places = try places(path)
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    var files: [String] = []
    for (_, file) in places where !files.contains(file) { files.append(file) }
    let missing = files.filter { !FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).path) }
    guard missing.isEmpty else {
      throw FileError(
        path,
        "names \(missing.prefix(4).joined(separator: ", "))"
          + "\(missing.count > 4 ? " and \(missing.count - 4) more" : ""), missing in its folder; download what is "
          + "missing, or everything again")
    }
    var shards: [String: Weights] = [:]
    var format = Checkpoint.Format.safetensors
    var notes: [String] = []
    for file in files {
      let content = try Checkpoint.Content(file: folder.appendingPathComponent(file).path)
      shards[file] = content.weights
      format = content.format
      for note in content.notes where !notes.contains(note) { notes.append(note) }
    }
    let tensors = try places.map { name, file -> (String, Tensor) in
      guard let tensor = shards[file]?[name] else {
        throw FileError(
          path, "says that \(name) lies in \(file), which has no such tensor; index and shards do not belong together")
      }
      return (name, tensor)
    }
    let named = Set(places.map(\.name))
    let extra = files.flatMap { shards[$0]?.names ?? [] }.filter { !named.contains($0) }
    guard extra.isEmpty else {
      throw FileError(
        path,
        "does not name \(extra.prefix(4).joined(separator: ", "))"
          + "\(extra.count > 4 ? " and \(extra.count - 4) more" : ""), which its shards hold; index and shards do not "
          + "belong together")
    }
    return Checkpoint.Content(
      format: format, files: files.map { folder.appendingPathComponent($0).path }, weights: Weights(tensors),
      notes: notes)
  }

  private static func places(_ path: String) throws -> [(name: String, file: String)] {
    let mapping = try MappedFile(path)
    guard mapping.bytes.count <= 100 << 20 else { throw FileError(path, "is too large for an index") }
    let object: JSON
    do {
      object = .object(try JSON.object(Array(mapping.bytes)))
    } catch {
      throw FileError(path, "is damaged at byte \(error.offset): \(error.message)")
    }
    guard let map = object["weight_map"]?.members, !map.isEmpty else {
      throw FileError(path, "is not an index of shards: it has no weight_map with tensors")
    }
    return try map.map { member in
      let name = member.name
      guard let file = member.value.string else { throw FileError(path, "\(name): its shard is not text") }
      let isPlain =
        !file.isEmpty && !file.hasPrefix(".")
        && file.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "\\") }
      guard isPlain else {
        throw FileError(
          path, "\(name): its shard '\(file)' is refused: shards lie beside the index, under plain names")
      }
      return (name, file)
    }
  }
}
