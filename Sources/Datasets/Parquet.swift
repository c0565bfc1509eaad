import Checkpoints
import Foundation
import Support

/// Image datasets from Hugging Face: parquet files with a column of encoded pictures and one of labels.
///
/// A Python that has pyarrow, `$VALLEY_PYARROW` or `python3`, reads the parquet files and copies the encoded pictures
/// into one file in the cache, once. <https://huggingface.co/docs/datasets/image_dataset>
enum Parquet {
  /// What the Python says about the files of a split.
  private struct Index: Codable {
    var classNames: [String]
    /// The label of each picture, and where its bytes begin and end.
    var pictures: [[Int]]
  }

  static func hasFiles(_ folder: URL) -> Bool { !((try? files(.test, in: folder)) ?? []).isEmpty }

  /// The split's files, in the folder or its subfolder `data`. They are named `train-…` or `test-…`, or for want of the
  /// latter `validation-…` or `valid-…`.
  static func files(_ split: Split, in folder: URL) throws -> [URL] {
    guard PictureListing.isFolder(folder) else {
      throw DatasetError(file: folder.path, "no such folder", remedy: "give the folder of the parquet files")
    }
    for place in [folder, folder.appendingPathComponent("data")] where PictureListing.isFolder(place) {
      let names = try PictureListing.names(in: place).filter { $0.hasSuffix(".parquet") }
      for prefix in split == .train ? ["train"] : ["test", "validation", "valid"] {
        let files = names.filter { $0.hasPrefix(prefix) }
        if !files.isEmpty { return files.map { place.appendingPathComponent($0) } }
      }
    }
    throw DatasetError(
      file: folder.path, "has no parquet files of the \(split) split",
      remedy:
        "their names should start with \(split == .train ? "train" : "test, validation or valid"), here or in data/")
  }

  static func list(_ split: Split, in folder: URL, cache: URL = PictureCache.usualFolder) throws -> PictureListing {
    let files = try files(split, in: folder)
    let hash = Digest()
    for file in files {
      let about = try FileManager.default.attributesOfItem(atPath: file.path)
      let time = (about[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
      hash.update(Data("\(file.path)\0\(about[.size] as? Int ?? 0)\0\(time)\0".utf8))
    }
    let name =
      "parquet-\(split)-"
      + hash.finish().prefix(8).hexadecimal
    let packed = cache.appendingPathComponent(name + ".bytes")
    let index = cache.appendingPathComponent(name + ".json")
    // The index is written last.
    if !FileManager.default.fileExists(atPath: index.path) { try convert(files, packed: packed, index: index) }
    guard let contents = try? JSONDecoder().decode(Index.self, from: Data(contentsOf: index)),
      contents.pictures.allSatisfy({
        $0.count == 3 && contents.classNames.indices.contains($0[0]) && $0[1] >= 0 && $0[1] <= $0[2]
      })
    else {
      throw DatasetError(file: index.path, "is damaged", remedy: "delete it; it is made again when it is needed")
    }
    return try PictureListing(
      name: "parquet", split: split, classNames: contents.classNames, root: cache,
      entries: contents.pictures.map { .init(path: packed.lastPathComponent, range: $0[1]..<$0[2], label: $0[0]) })
  }

  private static func convert(_ files: [URL], packed: URL, index: URL) throws {
    let manager = FileManager.default
    let folder = packed.deletingLastPathComponent()
    let scratch = folder.appendingPathComponent(".parquet-\(UUID().uuidString)", isDirectory: true)
    try manager.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? manager.removeItem(at: scratch) }
    let script = scratch.appendingPathComponent("parquet.py")
    try Data(PackageResources.parquet_py).write(to: script)
    let errors = scratch.appendingPathComponent("stderr")
    try Data().write(to: errors)
    let named = ProcessInfo.processInfo.environment["VALLEY_PYARROW"].flatMap { $0.isEmpty ? nil : $0 }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [named ?? "python3", "-I", script.path, scratch.path] + files.map(\.path)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let said = String(decoding: try Data(contentsOf: errors).suffix(2000), as: UTF8.self)
      let last = said.split(whereSeparator: \.isNewline).last.map(String.init) ?? "status \(process.terminationStatus)"
      let isMissing = last.contains("No module named") || process.terminationStatus == 127
      throw DatasetError(
        file: files.first?.path, isMissing ? "parquet files need a Python that has pyarrow (\(last))" : last,
        remedy: isMissing
          ? "`python3 -m pip install pyarrow`, or set VALLEY_PYARROW to a Python that has it" : "get the files again")
    }
    do {
      try manager.createDirectory(at: folder, withIntermediateDirectories: true)
      for (from, to) in [("pictures.bytes", packed), ("index.json", index)] {
        guard rename(scratch.appendingPathComponent(from).path, to.path) == 0 else {
          throw FileError(to.path, "cannot be written: \(String(cString: strerror(errno)))")
        }
      }
    } catch let error as FileError {
      throw DatasetError(file: error.path, error.message, remedy: "set VALLEY_DATA to a folder that can")
    }
  }
}
