import Checkpoints
import Foundation
import Support
import Testing
import Weights

@testable import Studies

@Suite struct LandscapeMeasurementTests {
  private static let yaml = """
    dataset: {name: glyphs, size: 8, train: 64, test: 48, noise: 0.4, labels: [0, 1, 2, 3]}
    model: {name: mlp, hidden: [12]}
    batch_size: 16
    optimizer: {lr: 0.05}
    schedule: {warmup: 1, stable: 7, decay: 3}
    branch: {every: 4, endpoints: 3}
    checkpoints: {keep: all}
    """

  private func perform(_ scratch: Scratch, _ yaml: String) throws -> RunFolder {
    let configuration = try StudyFile.parse(yaml).runs[0].configuration
    let folder = try RunFolder(scratch.url("run"), configuration: configuration)
    #expect(try folder.perform(RunExecution.run, versions: nil, control: .init()) == .finished)
    return folder
  }

  @Test func everythingAskedForIsMeasuredAtTheLastBranchPoint() throws {
    let scratch = try Scratch()
    let folder = try perform(
      scratch,
      Self.yaml
        + "\nmeasure: {noise: none, landscape: {path: 5, align: weight, curvature: 2, similarity: true, plane: 3}}")
    let rows = try RunFolder.landscapes(in: folder.url)
    #expect(rows.map(\.step) == [32])
    let row = try #require(rows.first)
    #expect(row.paths.map(\.endpoints) == [[0, 1], [0, 1], [0, 2], [0, 2], [1, 2], [1, 2]])
    #expect(row.paths.map(\.alignment) == [nil, "weight", nil, "weight", nil, "weight"])
    let results = try RowFile.rows(ResultRow.self, in: folder.results.url).filter { $0.step == 32 }
    for path in row.paths {
      #expect(path.positions == [0, 0.25, 0.5, 0.75, 1])
      // The ends are the endpoints, a permuted one included.
      for (place, endpoint) in [(0, path.endpoints[0]), (4, path.endpoints[1])] {
        let single = try #require(results.first { $0.kind == .single && $0.endpoints == [endpoint] })
        #expect(abs(path.testLoss[place] - single.testLoss) < 1e-5)
        #expect(try abs(path.trainLoss[place] - #require(single.trainLoss)) < 1e-5)
      }
      let merged = try #require(results.first { $0.kind == .merged && $0.endpoints == path.endpoints })
      if path.alignment == nil { #expect(abs(path.testLoss[2] - merged.testLoss) < 1e-5) }
    }
    let spectrum = try #require(row.spectra.first)
    #expect(spectrum.eigenvalues.count == 2 && spectrum.eigenvalues[0] >= spectrum.eigenvalues[1])
    #expect(spectrum.isConverged && spectrum.examples == 64)
    #expect(row.similarities.map(\.endpoints) == [[0, 1], [0, 2], [1, 2]])
    #expect(row.similarities.allSatisfy { $0.cka > 0.5 && $0.cka <= 1.0001 })
    let plane = try #require(row.plane)
    #expect(plane.marks.map(\.name) == ["base", "A", "B"] && plane.points.count == 9)
    #expect(plane.marks[0].alpha == 0 && plane.marks[0].beta == 0 && plane.marks[1].alpha == 1)
    #expect(plane.points.allSatisfy { ($0.test?.loss ?? 0) > 0 })
  }

  @Test func everyBranchPointOnRequest() throws {
    let scratch = try Scratch()
    let folder = try perform(scratch, Self.yaml + "\nmeasure: {noise: none, landscape: {at: all, path: 3}}")
    #expect(try RunFolder.landscapes(in: folder.url).map(\.step) == [16, 32])
    let file = RunFolder.landscapes(of: folder.url).appendingPathComponent("16.json")
    try Data("{\"step\": 16}".utf8).write(to: file)
    let error = try #require(throws: FileError.self) { try RunFolder.landscapes(in: folder.url) }
    #expect(
      error.description.contains("landscape/16.json: is no landscape")
        && error.description.contains("delete it and measure anew"), "\(error)")
  }

  @Test func endpointsMayStartFromWeightsOfTheirOwn() throws {
    func endpoints(_ initialisation: String) throws -> [Weights] {
      let scratch = try Scratch()
      let folder = try perform(
        scratch,
        """
        dataset: {name: glyphs, size: 8, train: 64, test: 48, labels: [0, 1, 2, 3]}
        model: {name: mlp, hidden: [12]}
        batch_size: 16
        optimizer: {lr: 1e-6}
        schedule: {name: warmup-cosine, warmup: 0, length: 1 steps}
        branch: {every: null, endpoints: 2, initialisation: \(initialisation)}
        measure: {noise: none}
        checkpoints: {keep: all}
        """)
      return try (0..<2).map {
        try Safetensors.read(folder.checkpoints.appendingPathComponent("endpoint-0-\($0).safetensors").path).weights
      }
    }
    func distance(_ weights: [Weights]) throws -> Double { try (weights[0] - weights[1]).norm() }
    #expect(try distance(endpoints("shared")) < 1e-3)
    #expect(try distance(endpoints("own")) > 1)
  }

  /// YAML, and part of the error.
  @Test(arguments: [
    ("measure: {landscape: {path: 2}}", "measure.landscape.path: is 2; expected a whole number between 3 and 1001"),
    ("measure: {landscape: {at: last}}", "measure.landscape: measures nothing"),
    ("measure: {landscape: {path: 5, curvatur: 2}}", "did you mean `curvature`?"),
    ("measure: {landscape: {curvature: 2, align: weight}}", "measure.landscape.align: is about paths"),
    ("branch: {initialisation: own}", "branch.initialisation: is own, which is for runs whose endpoints start from"),
  ])
  func whatCannotBeIsSaid(_ yaml: String, _ expected: String) {
    #expect { try StudyFile.parse(yaml) } throws: { "\($0)".contains(expected) }
  }
}
