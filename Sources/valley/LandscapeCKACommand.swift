import ArgumentParser
import Checkpoints
import Foundation
import Landscape
import Networks
import Reports

/// `valley landscape cka`: how alike the representations of two networks are.
struct LandscapeCKACommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cka",
    abstract: "How alike two networks represent the same examples, layer by layer: linear CKA.",
    discussion: """
      Linear centred kernel alignment, unbiased: 1 for representations that are the same up to rotation and scale, 0 for unrelated ones.
      Batches are added up before they are divided, so that their size does not shift the result. Without --layers it is that of what the
      classifier is given. With --out a measurement that was stopped goes on where it was.

      EXAMPLES
        valley landscape cka out/first/checkpoints/endpoint-832-0.safetensors out/first/checkpoints/endpoint-832-1.safetensors
        valley landscape cka a.safetensors b.safetensors --run out/first --layers all --all-pairs --out out/cka
        valley landscape cka a.pt b.pt --model resnet18 --data cifar10 --layers layer1.0,layer4.1,penultimate
      """)

  @Argument(help: "The weights of two networks.", completion: .file()) var weights: [String]
  @OptionGroup var options: LandscapeOptions
  @OptionGroup var figures: FigureOptions
  @Option(help: ArgumentHelp("Layers with commas between them, or all.", valueName: "names"))
  var layers = CKA.penultimate
  @Flag(help: "Compare every layer with every other.") var allPairs = false
  @Option(help: "Examples a batch.") var batch = 250

  func validate() throws {
    guard weights.count == 2 else { throw ValidationError("\(weights.count) weights; CKA compares two") }
    guard (4...100_000).contains(batch) else { throw ValidationError("--batch is \(batch); expected 4 … 100000") }
    guard !layers.isEmpty else { throw ValidationError("--layers is empty") }
  }

  struct Summary: Encodable {
    var setting, model, dataset: String
    var batchNorm: String?
    /// Of the two networks
    var weights: [String]
    var cka: CKA
  }

  func run() throws {
    let session = try options.session(weights, command: "landscape cka")
    let (examples, exampleWords) = try session.examples(usual: .test)
    let placer = try session.placer()
    let words = session.words(exampleWords, placer)
    let chosen = try session.layers(layers, on: examples)
    let points = try session.placed(session.points.map(\.weights), by: placer)
    func network(_ index: Int) throws -> any Networks.Module {
      try session.network.load(points[index])
      return session.network
    }
    let store = try MeasureStore(figures.folder, setting: session.identity(placer))
    let key = try "cka \(session.points.map { try $0.weights.fingerprint() }) \(chosen) \(allPairs)"
    let progress = Progress("example", total: examples.count)
    let cka = try CKA(
      { try network(0) }, { try network(1) }, layers: chosen, allPairs: allPairs, on: examples, batchSize: batch,
      progress: { progress.update($0) }
    ) { range, measure in
      try store("\(key) \(range)", measure)
    }
    progress.finish()
    let names = session.points.map(\.name)
    let summary = Summary(
      setting: words, model: session.configuration.model.name.rawValue,
      dataset: session.configuration.dataset.name.rawValue, batchNorm: placer.batchNormWords, weights: names, cka: cka)
    let figure = CKAFigure(cka: cka, names: (names[0], names[1]), setting: words)
    try figures.write(
      FigureSet(
        name: "cka", title: "Similarity of representations", description: words + ".",
        findings: cka.diagonal.count > 8
          ? [] : cka.diagonal.map { String(format: "%@: CKA %.4f.", $0.layer, $0.value) },
        figures: [figure]), summary)
    if options.json { return try printJSON(summary) }
    var table = TextTable(["layer", "CKA"])
    table.rows = cka.diagonal.map { [$0.layer, String(format: "%.4f", $0.value)] }
    print(table.text)
    print(words)
    if allPairs, figures.out == nil {
      print("say --out FOLDER for the heat map of all pairs, or --json for its numbers")
    }
  }
}
