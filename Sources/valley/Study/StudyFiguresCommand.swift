import ArgumentParser
import Foundation
import Reports
import Studies

/// `valley study figures`: the table that `Documentation/figures.md` holds.
struct StudyFiguresCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "figures",
    abstract: "Print the paper's figures, their studies and what was measured, as Markdown.",
    discussion: """
      A study's results are looked for in RESULTS/NAME and RESULTS/NAME-SCALE: report.json as `valley report` writes \
      it, and, if they are there, trend.md with a sentence on whether the paper's trend appeared, and README.md to \
      link to.

      EXAMPLES
        valley study figures
        valley study figures --results Documentation/results
      """,
    // For those who keep the documentation.
    shouldDisplay: false)

  @Option(help: "The folder of the results.", completion: .directory) var results = "Documentation/results"
  @Option(help: "How the page that holds the table refers to that folder.") var link = "results"

  func run() throws {
    let entries = try Catalogue.studies.map { declaration in
      let study = try declaration.study()
      return FigureIndex.Entry(
        figure: study.figure, study: study.name, title: study.title, scales: study.scales.map(\.rawValue))
    }
    let folder = URL(fileURLWithPath: results, isDirectory: true)
    print(try FigureIndex(entries: entries, results: folder, link: link).markdown(), terminator: "")
  }
}
