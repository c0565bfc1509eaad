import Foundation

/// The text that declares a study, from a file or from the catalogue.
public struct StudyDeclaration: Sendable {
  public let text: String
  /// Where it comes from, for messages.
  public let file: String
  /// The name of a study that does not say its own.
  public let name: String

  public init(text: String, file: String, name: String) {
    self.text = text
    self.file = file
    self.name = name
  }

  /// Reads a file; throws `FileError` if it cannot be read, `StudyFileError` if it is not text.
  public init(_ url: URL) throws {
    let data: Data
    do {
      data = try Data(contentsOf: url)
    } catch {
      throw FileError("read", url.path, code: posixCode(error))
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      let problem = StudyProblem(place: .start, keyPath: "", message: "the file is not UTF-8 text")
      throw StudyFileError(file: url.path, problems: [problem])
    }
    self.init(text: text, file: url.path, name: url.deletingPathExtension().lastPathComponent)
  }

  /// Throws `StudyFileError` with everything that is wrong, see `StudyFile.parse`.
  public func study(scale: StudyScale? = nil, settings: [Setting] = []) throws -> Study {
    try StudyFile.parse(text, file: file, name: name, settings: settings, scale: scale)
  }

  /// The text that by itself means the study at `scale`: with a line that says so.
  func text(at scale: StudyScale?) throws -> String {
    guard let scale else { return text }
    let wanted = "scale: \(scale.rawValue)"
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.contains(wanted) { return text }
    lines.removeAll { $0.hasPrefix("scale:") }
    while lines.last?.isEmpty ?? false { lines.removeLast() }
    let changed = lines.joined(separator: "\n") + "\n\(wanted)\n"
    guard let found = try? StudyFile.parse(changed, name: name).scale, found == scale else {
      let problem = StudyProblem(
        place: .start, keyPath: "scale",
        message: "cannot be added to this file; write its keys one a line, or `\(wanted)` yourself")
      throw StudyFileError(file: file, problems: [problem])
    }
    return changed
  }
}
