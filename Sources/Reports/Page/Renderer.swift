import Foundation
import Support

/// A picture format of a figure's file.
public enum FigureFormat: String, CaseIterable, Codable, Sendable { case svg, pdf, png }

/// Draws Vega-Lite specs with vl-convert, in a separate Python that `make bootstrap` sets up.
public struct Renderer: Sendable {
  /// The Python that has vl-convert.
  public let python: URL
  /// Whether VALLEY_RENDERER named it.
  let isNamed: Bool

  /// `$VALLEY_RENDERER`, or else `valley/renderer/current/bin/python` in the user's cache.
  public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    if let named = environment["VALLEY_RENDERER"], !named.isEmpty {
      python = URL(fileURLWithPath: named)
      isNamed = true
    } else {
      let home = environment["HOME"] ?? NSHomeDirectory()
      let cache = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? home + "/.cache"
      python = URL(fileURLWithPath: cache + "/valley/renderer/current/bin/python")
      isNamed = false
    }
  }

  /// Whether that Python is there.
  public var isPresent: Bool { FileManager.default.isExecutableFile(atPath: python.path) }

  /// What was drawn: pictures by file name, such as `gain.svg`, and the JavaScript that draws specs in a page.
  struct Output: Sendable {
    var pictures: [String: Data]
    var bundle: String
  }

  private struct Answer: Decodable {
    var failed: [String: String]
  }

  /// Draws all `documents`, by name.
  ///
  /// - Parameter scratch: a folder in which to make a temporary one.
  /// - Throws: `ReportError.rendererFailed`, or `.figureFailed` for the first figure, by name, in which Vega found an
  ///   error.
  func render(_ documents: [String: JSON], formats: Set<FigureFormat>, scratch: URL) throws -> Output {
    let folder = scratch.appendingPathComponent(".render-\(UUID().uuidString)", isDirectory: true)
    let files = FileManager.default
    try files.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? files.removeItem(at: folder) }
    let script = folder.appendingPathComponent("render.py")
    try Data(PackageResources.render_py).write(to: script)
    for (name, document) in documents {
      try Data(document.compact.utf8).write(to: folder.appendingPathComponent(name + ".vl.json"))
    }
    let bundle = folder.appendingPathComponent("bundle.js")
    let answer = try run(
      [
        "-I", script.path, folder.path, "--formats", formats.map(\.rawValue).sorted().joined(separator: ","),
        "--bundle",
        bundle.path,
      ], in: folder)
    if let failure = answer.failed.min(by: { $0.key < $1.key }) {
      throw ReportError.figureFailed(name: failure.key, message: failure.value)
    }
    var pictures: [String: Data] = [:]
    for name in documents.keys {
      for format in formats {
        let file = "\(name).\(format.rawValue)"
        pictures[file] = try Data(contentsOf: folder.appendingPathComponent(file))
      }
    }
    return Output(pictures: pictures, bundle: try String(contentsOf: bundle, encoding: .utf8))
  }

  private func run(_ arguments: [String], in folder: URL) throws -> Answer {
    // Into files, not pipes: a full pipe that nobody reads would stop the renderer.
    let (out, err) = (folder.appendingPathComponent("stdout"), folder.appendingPathComponent("stderr"))
    try Data().write(to: out)
    try Data().write(to: err)
    let process = Process()
    process.executableURL = python
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: out)
    process.standardError = try FileHandle(forWritingTo: err)
    try process.run()
    process.waitUntilExit()
    let said = try Data(contentsOf: out)
    guard process.terminationStatus == 0, let answer = try? JSONDecoder().decode(Answer.self, from: said) else {
      let message = String(decoding: try Data(contentsOf: err).suffix(2000), as: UTF8.self)
      throw ReportError.rendererFailed(
        status: process.terminationStatus, message: message.trimmingCharacters(in: .whitespacesAndNewlines))
    }
    return answer
  }
}
