import Foundation
import Studies

/// What can go wrong while a report is made, and how to mend it.
public enum ReportError: Error, CustomStringConvertible, Equatable {
  /// No run of the study has finished with a merge.
  case noResults(study: String, runs: Int, statuses: String)
  /// The Python that renders figures is not there.
  case noRenderer(path: String, variable: Bool, written: String)
  /// The renderer stopped: its exit status and the last of what it said.
  case rendererFailed(status: Int32, message: String)
  /// Vega reported an error in a figure, which may still have been drawn, but not as meant.
  case figureFailed(name: String, message: String)
  /// A file or folder cannot be read or written.
  case file(path: String, message: String)

  static func noResults(_ results: StudyResults) -> ReportError {
    var counts: [String: Int] = [:]
    for run in results.runs { counts[run.status.word, default: 0] += 1 }
    let statuses = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    return .noResults(study: results.name, runs: results.runs.count, statuses: statuses)
  }

  /// What is wrong, where, and how to mend it.
  public var description: String {
    switch self {
    case .noResults(let study, let runs, let statuses):
      "study \(study): none of its \(counted(runs, "run"))\(statuses.isEmpty ? "" : " (\(statuses))") has finished "
        + "with a merge, so there is "
        + "nothing to report; run it with `valley study run` first"
    case .noRenderer(let path, let variable, let written):
      "no figure renderer at \(path)\(variable ? " (named by VALLEY_RENDERER)" : ""): run `make bootstrap`, or set "
        + "VALLEY_RENDERER to "
        + "a Python that has vl-convert-python 1.9; the tables have been written to \(written)"
    case .rendererFailed(let status, let message):
      "the figure renderer ended with status \(status): \(message)"
    case .figureFailed(let name, let message):
      "figure \(name): Vega reported an error: \(message)"
    case .file(let path, let message): "\(path): \(message)"
    }
  }
}
