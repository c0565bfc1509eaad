import Foundation
import Schema
import Support

/// The text that declares a study, from a file or from the catalogue.
public struct StudyDeclaration: Sendable {
  /// YAML, see `StudyFile`.
  public let text: String
  /// Where it comes from, for messages.
  public let file: String
  /// The name of a study that does not say its own.
  public let name: String

  /// The text of a study that is in memory.
  public init(text: String, file: String, name: String) {
    self.text = text
    self.file = file
    self.name = name
  }

  /// Reads a file; throws `FileError` if it cannot be read, `YAMLFileError` if it is not text.
  public init(_ url: URL) throws {
    let data: Data
    do {
      data = try Data(contentsOf: url)
    } catch {
      throw FileError(cannot: "read", url.path, code: posixCode(error))
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      let problem = YAMLProblem(place: .start, keyPath: "", message: "the file is not UTF-8 text")
      throw YAMLFileError(file: url.path, problems: [problem])
    }
    self.init(text: text, file: url.path, name: url.deletingPathExtension().lastPathComponent)
  }

  /// Throws `YAMLFileError` with everything that is wrong, see `StudyFile.parse`.
  public func study(scale: StudyScale? = nil, settings: [Setting] = []) throws -> Study {
    try StudyFile.parse(text, file: file, name: name, settings: settings, scale: scale)
  }

  /// The same study computed on `device` (`cpu`, `cuda`, `cuda:N`), whatever the text says; nil leaves it as it is.
  ///
  /// Throws `YAMLFileError` where there is no such device, or the text has no place for it.
  public func on(device: String?) throws -> StudyDeclaration {
    guard let device else { return self }
    _ = try study(settings: [Setting(key: "device", value: device)])
    func isMeant(_ study: Study) -> Bool { study.runs.allSatisfy { $0.configuration.device == device } }
    let declaration = try StudyDeclaration(
      text: text(saying: "device", device, meaning: isMeant), file: file, name: name)
    for scale in try study().scales where try !isMeant(declaration.study(scale: scale)) {
      let problem = YAMLProblem(
        place: .start, keyPath: "scales.\(scale.rawValue).device",
        message: "says where scale \(scale.rawValue) computes; leave it out there, or do without --device")
      throw YAMLFileError(file: file, problems: [problem])
    }
    return declaration
  }

  /// The text that by itself means the study at `scale`: with a line that says so.
  func text(at scale: StudyScale?) throws -> String {
    guard let scale else { return text }
    return try text(saying: "scale", scale.rawValue) { $0.scale == scale }
  }

  /// The text with a line of its own for a key of the outermost level, if it then means what it should.
  private func text(saying key: String, _ value: String, meaning: (Study) -> Bool) throws -> String {
    let wanted = "\(key): \(value)"
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.contains(wanted) { return text }
    lines.removeAll { $0.hasPrefix("\(key):") }
    while lines.last?.isEmpty ?? false { lines.removeLast() }
    let changed = lines.joined(separator: "\n") + "\n\(wanted)\n"
    guard let found = try? StudyFile.parse(changed, name: name), meaning(found) else {
      let problem = YAMLProblem(
        place: .start, keyPath: key,
        message: "cannot be added to this file; write its keys one a line, or `\(wanted)` yourself")
      throw YAMLFileError(file: file, problems: [problem])
    }
    return changed
  }
}

extension StudyFile {
  /// Reads a file; throws `FileError` if it cannot be read, `YAMLFileError` with everything that is wrong in it.
  /// - Parameters:
  ///   - settings: values that take the place of the file's, see `parse`
  ///   - scale: see `parse`
  public static func read(_ url: URL, settings: [Setting] = [], scale: StudyScale? = nil) throws -> Study {
    try StudyDeclaration(url).study(scale: scale, settings: settings)
  }
}
