import Foundation

/// Reads whole files of bounded size, plain or packed by gzip, tar or zip.
enum FileBytes {
  /// The bytes of a file, at most `limit` of them.
  static func read(_ file: URL, atMost limit: Int, from dataset: String) throws -> Data {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder), !isFolder.boolValue else {
      throw DatasetError(
        file: file.path, isFolder.boolValue ? "is a folder, not a file of \(dataset)" : "no such file",
        remedy: "run `valley data fetch \(dataset)`, or name the folder that has it")
    }
    let size = try FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int ?? 0
    guard size <= limit else {
      throw DatasetError(
        file: file.path, byte: limit, "the file has \(size) bytes where \(dataset) has at most \(limit)",
        remedy: "it is not the file it is named after: fetch it again")
    }
    do {
      return try Data(contentsOf: file, options: .mappedIfSafe)
    } catch {
      throw DatasetError(file: file.path, "cannot be read: \(error.localizedDescription)")
    }
  }

  /// The bytes that a gzip file unpacks to, at most `limit` of them: more could be an attack and is refused.
  static func unpackGzip(_ file: URL, atMost limit: Int) throws -> Data {
    try output(of: ["gzip", "-dc", "--", file.path], reading: file, atMost: limit)
  }

  /// The bytes of one member of a gzipped tar archive. Nothing is written, whatever names the archive holds.
  static func unpackTar(_ archive: URL, member: String, atMost limit: Int) throws -> Data {
    try output(of: ["tar", "-xzOf", archive.path, "--", member], reading: archive, atMost: limit)
  }

  /// Unpacks the folder `name` of a zip file. It gets its final name when it is complete. `unzip` writes nothing
  /// outside the folder it is given.
  static func unpackZip(_ archive: URL, folder name: String, to target: URL) throws {
    let files = FileManager.default
    let scratch = target.deletingLastPathComponent().appendingPathComponent(".\(name).\(UUID().uuidString)")
    defer { try? files.removeItem(at: scratch) }
    do { try files.createDirectory(at: scratch, withIntermediateDirectories: true) } catch {
      throw DatasetError(file: scratch.path, "cannot be made: \(error.localizedDescription)", remedy: "free some space")
    }
    _ = try output(
      of: ["unzip", "-q", "-o", archive.path, "\(name)/*", "-d", scratch.path], reading: archive, atMost: 1 << 20)
    do { try files.moveItem(at: scratch.appendingPathComponent(name), to: target) } catch {
      throw DatasetError(
        file: target.path, "cannot be written: \(error.localizedDescription)", remedy: "free some space")
    }
  }

  private static func output(of command: [String], reading file: URL, atMost limit: Int) throws -> Data {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    let (out, errors) = (Pipe(), Pipe())
    process.standardOutput = out
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    do {
      try process.run()
    } catch {
      throw DatasetError(
        file: file.path, "`\(command[0])` cannot be started: \(error.localizedDescription)", remedy: "install it")
    }
    // Errors are a few lines at most, which the pipe holds until the end.
    var bytes = Data()
    while bytes.count <= limit, let part = try out.fileHandleForReading.read(upToCount: 1 << 20), !part.isEmpty {
      bytes.append(part)
    }
    guard bytes.count <= limit else {
      process.terminate()
      process.waitUntilExit()
      throw DatasetError(
        file: file.path, "unpacks to more than the \(limit) bytes it may have",
        remedy: "it is not the file it is named after: fetch it again")
    }
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let text = String(decoding: errors.fileHandleForReading.availableData, as: UTF8.self)
      throw DatasetError(
        file: file.path,
        "\(command[0]) could not unpack it: \(text.split(whereSeparator: \.isNewline).first ?? "no reason given")",
        remedy: "it is damaged: fetch it again")
    }
    return bytes
  }
}
