import Checkpoints
import Foundation
import Testing
import Weights
import Workbench

@Suite struct AlignmentTests {
  private let order = [3, 1, 0, 7, 6, 5, 4, 2]

  @Test func aPermutationIsUndoneUnderTheFilesOwnNames() throws {
    let place = try Workplace()
    let permuted = try Workplace.network(0, order: order)
    let (given, out) = (place.scratch.path("given.safetensors"), place.scratch.path("aligned.safetensors"))
    try Safetensors.write(Weights(permuted.map { ("module." + $0.name, $0.tensor) }), to: given)
    var aligned = try CheckpointAlignment().align([place.networks[0], given])
    #expect(try aligned.weights[1].isIdentical(to: Workplace.network(0)))
    #expect(aligned.summary.networks[0].moved == 6 && aligned.summary.paths.isEmpty && aligned.summary.units == 8)
    let merged = place.scratch.path("merged.safetensors")
    try aligned.write(to: [nil, out], merged: merged)
    #expect(try Safetensors.read(out).weights.names == permuted.names.map { "module." + $0 })
    #expect(try Safetensors.read(merged).weights.isIdentical(to: Workplace.network(0)))
    #expect(aligned.summary.networks[0].output == out && aligned.summary.merged == merged)
    #expect(refusal { try aligned.write(to: [nil]) } == "there are 1 places for 2 networks")
  }

  @Test func whatLiesBetweenIsMeasuredBeforeAndAfter() throws {
    let place = try Workplace()
    try Safetensors.write(Workplace.network(0, order: order), to: place.networks[1])
    let heard = Heard()
    let aligned = try CheckpointAlignment(method: .activation, repair: .measured).align(
      Array(place.networks.prefix(2)), from: Workplace.source, measuring: Measuring(split: .test),
      report: heard.listener)
    #expect(aligned.summary.paths.map(\.state) == ["as given", "aligned", "aligned, repaired"])
    #expect(abs(aligned.summary.paths[1].testBarrier ?? 1) < 1e-4 && aligned.summary.networks[0].correlation != nil)
    #expect(heard.stages == ["example"])
    let mean = try CheckpointAlignment(reference: .mean).align(place.networks)
    #expect(mean.summary.networks.count == 3 && mean.summary.spread ?? 1 < mean.summary.formerSpread ?? 0)
  }

  @Test func mistakes() throws {
    let place = try Workplace()
    let blind = refusal { _ = try CheckpointAlignment(method: .activation).align(place.networks) }
    #expect(blind == "`method` activation needs data; name it with `dataset.name`, with a `study`, or with a `run`")
    #expect(refusal { try CheckpointAlignment().check(networks: 1) }.contains("two networks or more"))
    #expect(refusal { try CheckpointAlignment(points: 2).check(networks: 2) } == "`points` is 2; expected 3 or more")
    try Safetensors.write(Weights([("w", .ones([2]))]), to: place.networks[0])
    let foreign = refusal { _ = try CheckpointAlignment().align(place.networks) }
    #expect(foreign.contains("its names match no network here") && foreign.contains("`model.name`"), "\(foreign)")
  }
}
