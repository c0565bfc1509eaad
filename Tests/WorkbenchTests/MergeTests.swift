import Checkpoints
import DataMerging
import Foundation
import Merging
import Studies
import Testing
import Workbench

@Suite struct MergeTests {
  @Test func mergesByWhatNetworksDoOnData() throws {
    let place = try Workplace()
    let out = place.scratch.path("merged.safetensors")
    let models = Array(place.networks.prefix(2))
    var merge = try CheckpointDataMerge(
      #require(DataMethod.named("fisher")), models: models, parameters: ["examples": "8"], from: Workplace.source)
    let summary = try merge.merge(to: out)
    #expect(summary.method == "fisher" && summary.inputs.map(\.file) == ["a.safetensors", "b.safetensors"])
    let merged = try Safetensors.read(out)
    #expect(merged.weights.names == (try Workplace.network(0).names) && merged.metadata["merge.split"] == "train")
    #expect(try !merged.weights.isIdentical(to: Workplace.network(0)))

    #expect(refusal { try merge.check(output: "out") }.contains("must end in .safetensors, not out"))
    merge.datasets = [[], [], []]
    #expect(refusal { try merge.check(output: out) }.contains("data is given 3 times for 2 models"))
    merge.datasets = [[], []]
    merge.reestimateBatchNorm = .full
    #expect(refusal { try merge.check(output: out) }.hasPrefix("`reestimateBatchNorm`: each model has data of its own"))
  }

  @Test func aRecipeNamesModelsNetworkAndData() throws {
    let place = try Workplace()
    let recipe = try Recipe(
      yaml: """
        merge_method: regmean
        models: [{model: a.safetensors}, {model: b.safetensors}]
        parameters: {examples: 8}
        network: {name: mlp, hidden: [8]}
        data: {name: glyphs, size: 8, train: 64, test: 64, noise: 0.4}
        """, file: "recipe.yml", methods: DataMethod.declarations)
    let merge = try #require(try CheckpointDataMerge(recipe, relativeTo: place.scratch.folder.path))
    #expect(merge.models == Array(place.networks.prefix(2)) && merge.parameters["examples"] == "8")
    #expect(try merge.merge(to: place.scratch.path("out.safetensors")).model == "mlp")
    let plain = try Recipe(yaml: "merge_method: linear\nmodels: [{model: a}, {model: b}]\n", file: "plain.yml")
    #expect(try CheckpointDataMerge(plain, relativeTo: ".") == nil)
  }

  @Test func aSearchGoesOnAndKeepsToItsFolder() throws {
    let place = try Workplace()
    let recipe = place.scratch.path("recipe.yml")
    try Data(
      """
      merge_method: linear
      models:
        - {model: a.safetensors, parameters: {weight: {from: 0, to: 1}}}
        - {model: b.safetensors, parameters: {weight: {from: 0.1, to: 1}}}
      """.utf8
    ).write(to: URL(fileURLWithPath: recipe))
    var search = MergeSearch(
      recipe: recipe, from: Workplace.source, budget: 2, algorithm: .random, examples: 40, batchNorm: .off)
    let folder = place.scratch.url("search")
    let short = try search.search(in: folder)
    #expect(short.evaluations == 2 && short.failures == 0 && short.restExamples == 24 && short.rest != nil)
    search.budget = 3
    let heard = Heard()
    let found = try search.search(in: folder, report: heard.listener)
    #expect(heard.notes.first == "continuing after 2 evaluations" && heard.stages == ["evaluating"])
    #expect(found.best.loss ?? .infinity <= short.best.loss ?? 0 && found.best.values.count == 2)
    #expect(try Safetensors.read(found.weights).weights.names == Workplace.network(0).names)
    #expect(FileManager.default.fileExists(atPath: found.recipe))

    search.seed = 1
    let other = refusal { _ = try search.search(in: folder) }
    #expect(other.contains("holds a search that differs in `seed`; name another folder"), "\(other)")
    search.budget = 0
    #expect(refusal { try search.check() } == "`budget` is 0; expected 1 … 100000")
    let candidates = try search.candidates()
    let row = candidates.row(at: candidates.ranges.map(\.middle), number: 1)
    #expect(row.loss?.isFinite == true && row.error == nil)
    #expect(candidates.row(at: [1], number: 2).error == "a point has 2 coordinates, not 1")
  }
}
