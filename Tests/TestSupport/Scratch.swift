import Foundation

/// A new folder that is removed when the last reference goes.
public final class Scratch: Sendable {
  public let folder: URL

  public init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("valley-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  public func url(_ name: String) -> URL { folder.appendingPathComponent(name) }
  public func path(_ name: String) -> String { url(name).path }
}

/// Runs `body` with the path of a new folder that is removed afterwards.
public func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let scratch = try Scratch()
  return try withExtendedLifetime(scratch) { try body(scratch.folder.path) }
}
