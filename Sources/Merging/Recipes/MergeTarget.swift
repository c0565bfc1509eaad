import Foundation
import Support

/// Where a merge goes: built under a temporary name in the same folder, and renamed when it is whole.
struct MergeTarget {
  let path: String
  let isFile: Bool

  init(_ path: String) {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
    isFile = path.hasSuffix(".safetensors")
  }

  private var url: URL { URL(fileURLWithPath: path) }
  private var parent: String { url.deletingLastPathComponent().path }

  /// - Throws: `FileError` where the result could not be written, as far as that is known beforehand.
  func check(room bytes: Int, replaces: Bool) throws {
    let manager = FileManager.default
    var isDirectory: ObjCBool = false
    guard manager.fileExists(atPath: parent, isDirectory: &isDirectory), isDirectory.boolValue else {
      throw FileError(path, "cannot be written: the folder \(parent) does not exist")
    }
    guard access(parent, W_OK) == 0 else {
      let reason = errno == EROFS ? "a read-only file system has" : "no permission to write in"
      throw FileError(path, "cannot be written: \(reason) \(parent)")
    }
    if manager.fileExists(atPath: path, isDirectory: &isDirectory) {
      guard replaces else { throw FileError(path, "exists; add --force to replace it") }
      // A folder that is no merge's output may be anybody's.
      let marks = [
        "config.json", "recipe.yml", "adapter_config.json", ModelFolder.single, ModelFolder.index,
      ]
      let isModel = marks.contains { manager.fileExists(atPath: path + "/" + $0) }
      let isEmpty = (try? manager.contentsOfDirectory(atPath: path))?.isEmpty ?? false
      guard isFile ? !isDirectory.boolValue : isDirectory.boolValue && (isModel || isEmpty) else {
        throw FileError(path, "exists and is no merged model; it is not replaced")
      }
    }
    let attributes = try? manager.attributesOfFileSystem(forPath: parent)
    if let free = (attributes?[.systemFreeSize] as? NSNumber)?.intValue, free < bytes {
      throw FileError(
        path, "takes \(byteText(bytes)), and the disk has \(byteText(free)) left")
    }
  }

  /// Lets `body` build the result at a temporary path and puts it in place; without a trace if it fails.
  func write(_ body: (_ temporary: String) throws -> Void) throws {
    let manager = FileManager.default
    let stem = ".\(url.lastPathComponent)."
    removeLeftovers(stem)
    let temporary = parent + "/\(stem)\(ProcessInfo.processInfo.processIdentifier).tmp"
    do {
      if !isFile { try manager.createDirectory(atPath: temporary, withIntermediateDirectories: false) }
      try body(temporary)
      if isFile || !manager.fileExists(atPath: path) {
        try rename(temporary, to: path)
      } else {
        let old = temporary + ".old"
        try rename(path, to: old)
        do {
          try rename(temporary, to: path)
        } catch {
          try? rename(old, to: path)
          throw error
        }
        try? manager.removeItem(atPath: old)
      }
    } catch {
      try? manager.removeItem(atPath: temporary)
      guard let error = error as? FileError, error.path.hasPrefix(temporary) else { throw error }
      // By the name that it would have had.
      throw FileError(path + error.path.dropFirst(temporary.count), error.message)
    }
  }

  private func rename(_ from: String, to: String) throws {
    guard Foundation.rename(from, to) == 0 else {
      throw FileError(to, "cannot be written: \(String(cString: strerror(errno)))")
    }
  }

  /// What merges to the same place left that were killed.
  private func removeLeftovers(_ stem: String) {
    let manager = FileManager.default
    for name in (try? manager.contentsOfDirectory(atPath: parent)) ?? [] where name.hasPrefix(stem) {
      let isReplaced = name.hasSuffix(".tmp.old")
      let middle = name.dropFirst(stem.count)
      guard isReplaced || middle.hasSuffix(".tmp"), let owner = Int32(middle.dropLast(isReplaced ? 8 : 4)),
        kill(owner, 0) != 0, errno == ESRCH
      else { continue }
      // Between two renames there is only what was to be replaced.
      if isReplaced, !manager.fileExists(atPath: path) {
        try? rename(parent + "/" + name, to: path)
      } else {
        try? manager.removeItem(atPath: parent + "/" + name)
      }
    }
  }
}

/// Bytes for people: `2.2 GB`.
public func byteText(_ bytes: Int) -> String {
  let units = ["bytes", "kB", "MB", "GB", "TB"]
  var (value, unit) = (Double(bytes), 0)
  while value >= 1000, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
  return unit == 0 ? "\(bytes) bytes" : String(format: "%.1f %@", value, units[unit])
}
