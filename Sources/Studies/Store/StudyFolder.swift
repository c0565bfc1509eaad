import Checkpoints
import Foundation
import Support

/// The folder of a study: `study.yaml` as given, `runs/<id>/` for each run, and an index that can be rebuilt from them.
public struct StudyFolder: Sendable {
  /// Where it is.
  public let url: URL
  /// What its `study.yaml` declares.
  public let study: Study

  /// Opens an existing study folder.
  public init(_ url: URL) throws {
    let file = url.appendingPathComponent("study.yaml")
    guard FileManager.default.fileExists(atPath: file.path) else {
      throw RunFolderError(
        path: url.path, message: "is no study folder: it has no study.yaml; `valley study run` makes one")
    }
    self.url = url
    study = try StudyFile.read(file)
  }

  /// As `init(_:for:scale:)`, for the study in `file`.
  public init(_ url: URL, for file: URL, scale: StudyScale? = nil) throws {
    try self.init(url, for: StudyDeclaration(file), scale: scale)
  }

  /// Makes the folder for a study, or updates the `study.yaml` of the folder that is there, which adds runs and takes
  /// none away. Throws `RunFolderError` if the folder belongs to a study of another name or scale.
  public init(_ url: URL, for declaration: StudyDeclaration, scale: StudyScale? = nil) throws {
    let study = try declaration.study(scale: scale)
    let own = url.appendingPathComponent("study.yaml")
    let found = FileManager.default.contents(atPath: own.path)
    if let found, let other = try? StudyFile.parse(String(decoding: found, as: UTF8.self), name: study.name) {
      if other.name != study.name {
        throw RunFolderError(
          path: url.path, message: "holds the study \(other.name), not \(study.name); choose another folder with --out")
      }
      if other.scale != study.scale {
        func words(_ scale: StudyScale?) -> String { scale.map { "at scale \($0.rawValue)" } ?? "without a scale" }
        throw RunFolderError(
          path: url.path,
          message:
            "holds the study \(other.name) \(words(other.scale)), not \(words(study.scale)); choose another folder "
            + "with --out")
      }
    }
    self.url = url
    self.study = study
    try makeFolder(url.appendingPathComponent("runs"))
    let data = Data(try declaration.text(at: study.scale).utf8)
    if data != found { try writeAtomically(data, to: own.path) }
  }

  /// The folder of a run, which need not be there yet.
  public func folder(of run: StudyRun) -> URL { url.appendingPathComponent("runs").appendingPathComponent(run.id) }

  /// Run folders that the study no longer declares, by their ids. They are left alone.
  public var undeclared: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: url.appendingPathComponent("runs").path)) ?? []
    return Set(names.filter { !$0.hasPrefix(".") }).subtracting(study.runs.map(\.id)).sorted()
  }

  /// How each declared run stands, in the order of the study.
  public func states(_ index: StudyIndex) throws -> [RunState] {
    try index.refresh(study.runs.map(\.id))
    return try study.runs.map { run in
      let entry = try index.entry(run.id)
      return RunState(
        run: run, record: entry?.record, owner: FolderLock.owner(of: folder(of: run)),
        resultCount: entry?.resultCount ?? 0,
        problem: entry?.problem)
    }
  }

  /// Deletes everything the declared runs have produced. Throws `FolderLock.Held` before it deletes anything if one of
  /// them is running.
  public func deleteResults() throws {
    let existing = study.runs.map(folder).filter { FileManager.default.fileExists(atPath: $0.path) }
    let locks = try existing.map { try FolderLock($0) }
    for (lock, folder) in zip(locks, existing) {
      for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name != "lock" {
        try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
      }
      lock.release()
      try? FileManager.default.removeItem(at: folder)
    }
  }
}
