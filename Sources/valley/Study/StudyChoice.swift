import ArgumentParser
import Foundation
import Studies

/// Which study is meant: a file, or one that comes with Valley.
struct StudyChoice: ParsableArguments {
  @Argument(
    help:
      "A YAML file, or a study listed by `valley study list`, such as fig1; a figure with panels means all of them.",
    completion: .file(extensions: ["yaml", "yml"]))
  var study: String
  @Option(
    help: "The scale: smoke (minutes), small (hours on a GPU) or paper.  (default: smoke, if the study has it)")
  var scale: StudyScale?
  @Option(help: "Where to compute: cpu, cuda or cuda:N.  (default: what the study says, otherwise cpu)")
  var device: String?

  func declarations() throws -> [StudyDeclaration] { try chosen().map { try $0.on(device: device) } }

  private func chosen() throws -> [StudyDeclaration] {
    let found = Catalogue.named(study)
    // A file of that name goes first.
    guard !found.isEmpty, !FileManager.default.fileExists(atPath: study) else {
      let isName = !study.contains("/") && !study.contains(".")
      if isName, !FileManager.default.fileExists(atPath: study) {
        let guess = Catalogue.nearest(to: study).map { "did you mean \($0)? " } ?? ""
        throw CommandError("there is no file and no study \(study); \(guess)`valley study list` shows what there is")
      }
      return [try StudyDeclaration(URL(fileURLWithPath: study))]
    }
    return found
  }
}
