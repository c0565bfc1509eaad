import ArgumentParser
import Foundation
import Merging
import Workbench

/// What a command cannot do, found out after its arguments were understood: no word about usage would help.
struct CommandError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Lets a command's `validate` refuse what the workbench or a merge method refuses before any file is read.
func validating(_ body: () throws -> Void) throws {
  do {
    try body()
  } catch let error as WorkbenchError {
    throw ValidationError(inOptions(error.description))
  } catch let error as MergeError {
    throw ValidationError(error.description)
  }
}

/// A sentence of the workbench with options in the place of the settings that it names in backticks.
func inOptions(_ sentence: String) -> String {
  sentence.replacing(/`([a-zA-Z_.…]+)`/) { match in
    let name = String(match.1)
    return optionNames[name] ?? (name.contains(".") ? "--set \(name)=…" : "--\(kebab(name))")
  }
}

/// Options that are not called like the setting.
private let optionNames = [
  "study": "--config", "run": "--run", "model.name": "--model", "dataset.name": "--data", "seeds": "--set seeds=…",
  "batchNorm": "--batchnorm", "reestimateBatchNorm": "--reestimate-batchnorm", "batchSize": "--batch",
  "curve.bends": "--bends", "curve.epochs": "--curve-epochs", "curve.learningRate": "--curve-lr",
  "density.probes": "--probes", "density.steps": "--steps", "traceProbes": "--trace", "towardsLast": "--towards",
  "randomSeed": "--random", "replacing": "--force",
]

/// `matchExamples` as `match-examples`
private func kebab(_ name: String) -> String {
  name.map { $0.isUppercase ? "-\($0.lowercased())" : "\($0)" }.joined()
}

/// - Throws: `CommandError` where there is something at `path` that must not be replaced.
func requireAbsent(_ path: String, unless force: Bool) throws {
  if !force, FileManager.default.fileExists(atPath: path) {
    throw CommandError("\(path) exists; add --force to replace it")
  }
}
