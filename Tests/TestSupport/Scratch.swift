import Foundation

/// A new folder that is removed when the last reference goes.
public final class Scratch: Sendable {
  /// Where the folder is.
  public let folder: URL

  /// Makes the folder.
  public init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("valley-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// The place of a name in it.
  public func url(_ name: String) -> URL { folder.appendingPathComponent(name) }
  /// The path of a name in it.
  public func path(_ name: String) -> String { url(name).path }
}

/// Runs `body` with the path of a new folder that is removed afterwards.
public func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let scratch = try Scratch()
  return try withExtendedLifetime(scratch) { try body(scratch.folder.path) }
}
