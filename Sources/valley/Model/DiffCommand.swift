import ArgumentParser
import Checkpoints
import Foundation
import Merging
import Reports
import Support
import Weights

/// `valley diff`: how two models differ.
struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Compare two models tensor by tensor: distance, cosine, and with a base the conflicts of their changes.",
    discussion: """
      "relative" is ‖B − A‖ / ‖A‖. With --base the task vectors A − base and B − base are compared too: their cosine, \
      and the share of the elements changed by both that they change in opposite directions, which TIES and its \
      relatives resolve. --spectrum finds the singular values of B − A: the stable rank Σσ² / max σ², and how many \
      hold 90 % of Σσ², which tells the rank that an adapter needs (`valley extract-lora`).

      EXAMPLES
        valley diff base finetuned
        valley diff math code --base base --only '*layers.0.*'
        valley diff base finetuned --spectrum --out out/diff
        valley diff a.safetensors b.safetensors --json
      """)

  @Argument(help: "The first model.") var first: String
  @Argument(help: "The second model.") var second: String
  @Option(help: "The weights that both were fine-tuned from.") var base: String?
  @Option(help: ArgumentHelp("Only tensors whose names match; * stands for anything.", valueName: "pattern"))
  var only: String?
  @Flag(help: "Also find singular values.") var spectrum = false
  @Option(name: .long, help: "A folder for a figure over the layers and its table.") var out: String?
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    func weights(_ path: String) throws -> Weights {
      let weights = try Checkpoint.read(path).weights
      let chosen = only.map { weights.select($0) } ?? weights
      guard !chosen.isEmpty else { throw CommandError("\(path): no tensor is called \(only ?? "")") }
      return chosen
    }
    let (a, b, start) = try (weights(first), weights(second), base.map { try weights($0) })
    let (report, total) = (Reporter(), max(1, a.elementCount >> 20))
    let difference = try ModelDifference(
      a, b, base: start, hasSpectrum: spectrum,
      progress: { report.show("comparing", $0 >> 20, of: total, "(million numbers)") })
    if json { try printJSON(difference) } else { show(difference) }
    if let out {
      let rows = difference.rows.map {
        DifferenceFigure.Row(
          name: $0.name, relative: $0.relative, cosine: $0.task?.cosine, conflicts: $0.task?.signConflicts)
      }
      let title = "A: \(name(first)), B: \(name(second))" + (base.map { ", base: \(name($0))" } ?? "")
      let written = try DifferenceFigure(title: title, rows: rows)
        .write(to: URL(fileURLWithPath: out), needsPictures: false)
      if !json { print("\(out): \(written.joined(separator: ", "))") }
    }
  }

  private func name(_ path: String) -> String { URL(fileURLWithPath: path).lastPathComponent }

  private func show(_ difference: ModelDifference) {
    func number(_ value: Double?) -> String { value.map { String(format: "%.4g", $0) } ?? "" }
    func part(_ value: Double?) -> String { value.map { String(format: "%.1f %%", 100 * $0) } ?? "" }
    var columns = ["tensor", "shape", "‖A‖", "‖B − A‖", "relative", "cosine"]
    if base != nil { columns += ["‖δA‖", "‖δB‖", "cosine of δ", "sign conflicts"] }
    if spectrum { columns += ["stable rank", "rank of 90 %"] }
    var table = TextTable(columns)
    table.rows = difference.rows.map { row in
      var cells = [
        row.name, row.shape.map(String.init).joined(separator: " × "), number(row.norms[0]), number(row.distance),
        number(row.relative), row.cosine.map { String(format: "%.6f", $0) } ?? "",
      ]
      if base != nil {
        cells += [
          number(row.task?.norms[0]), number(row.task?.norms[1]), number(row.task?.cosine),
          part(row.task?.signConflicts),
        ]
      }
      if spectrum {
        cells += [number(row.spectrum?.stableRank), row.spectrum.map { "\($0.rank90) of \($0.count)" } ?? ""]
      }
      return cells
    }
    print(table.text)
    print("")
    let all = difference.total
    print(
      "\(difference.rows.count) tensors: relative difference \(number(all.relative))"
        + (base == nil
          ? "" : ", cosine of the task vectors \(number(all.taskCosine)), sign conflicts \(part(all.signConflicts))"))
    for (names, words) in [
      (difference.onlyInFirst, "only in \(first)"), (difference.onlyInSecond, "only in \(second)"),
      (difference.misfits, "with different shapes"),
    ] where !names.isEmpty {
      print(
        "\(words): \(names.prefix(8).joined(separator: ", "))\(names.count > 8 ? " and \(names.count - 8) more" : "")")
    }
  }
}
