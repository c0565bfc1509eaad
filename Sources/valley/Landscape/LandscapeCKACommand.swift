import ArgumentParser
import Foundation
import Landscape
import Reports
import Workbench

/// `valley landscape cka`: how alike the representations of two networks are.
struct LandscapeCKACommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cka",
    abstract: "How similarly two networks represent the same examples, layer by layer: linear CKA.",
    discussion: """
      Linear centred kernel alignment, unbiased: 1 for representations that are the same up to rotation and scale, 0 \
      for unrelated ones. Sums over batches are divided only at the end, so the batch size does not shift the result. \
      Without --layers, the input of the classifier is compared. With --out, an interrupted measurement continues \
      where it stopped.

      EXAMPLES
        valley landscape cka out/first/checkpoints/endpoint-832-{0,1}.safetensors
        valley landscape cka a.safetensors b.safetensors --run out/first --layers all --all-pairs --out out/cka
        valley landscape cka a.pt b.pt --model resnet18 --data cifar10 --layers layer1.0,layer4.1,penultimate
      """)

  @Argument(help: "The weights of two networks.", completion: .file()) var weights: [String]
  @OptionGroup var options: LandscapeOptions
  @OptionGroup var figures: FigureOptions
  @Option(help: ArgumentHelp("Layers separated by commas, or all.", valueName: "names"))
  var layers = CKA.penultimate
  @Flag(help: "Compare every layer with every other.") var allPairs = false
  @Option(help: "Examples per batch.") var batch = 250

  private var survey: SimilaritySurvey {
    let names = layers.split(separator: ",").map { $0.filter { $0 != " " } }
    return SimilaritySurvey(layers: layers == "all" ? nil : names, allPairs: allPairs, batchSize: batch)
  }

  func validate() throws { try validating { try survey.check(weights: weights.count) } }

  func run() throws {
    let report = Reporter()
    let found = try survey.measure(
      options.bench(weights, report), keptIn: figures.folder, report: report.listener)
    let (cka, names) = (found.cka, found.weights)
    let figure = CKAFigure(cka: cka, names: (names[0], names[1]), setting: found.setting)
    try figures.write(
      FigureSet(
        name: "cka", title: "Similarity of representations", description: found.setting + ".",
        findings: cka.diagonal.count > 8
          ? [] : cka.diagonal.map { String(format: "%@: CKA %.4f.", $0.layer, $0.value) },
        figures: [figure]), found)
    if options.json { return try printJSON(found) }
    var table = TextTable(["layer", "CKA"])
    table.rows = cka.diagonal.map { [$0.layer, String(format: "%.4f", $0.value)] }
    print(table.text)
    print(found.setting)
    if allPairs, figures.out == nil {
      print("For the heat map of all pairs add --out FOLDER, for its numbers --json.")
    }
  }
}
