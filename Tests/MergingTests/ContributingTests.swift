import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Merging

// The example of CONTRIBUTING.md, which must stand there word for word.

extension MergeMethod {
  /// The task vectors' mean, without what is small.
  static let sparse = MergeMethod(
    "sparse", "W₀ + the mean of the task vectors' elements above a threshold", base: .required, models: 1...,
    parameters: [.number("threshold", from: 0, default: 0.001, "what is smaller by magnitude is left out")],
    traits: .elementwise
  ) { models, base, settings in
    guard let base else { throw MergeError("sparse needs the base") }
    let threshold = try settings.number("threshold")
    let kept = try models.map { model in
      let delta = try model - base
      return try delta.selected(where: delta.abs().greaterOrEqual(threshold), otherwise: delta.zerosLike())
    }
    return try base + kept.dropFirst().reduce(kept[0]) { try $0 + $1 } / Double(kept.count)
  }
}

@Suite struct ContributingTests {
  @Test func theExampleOfAMethodIsThisOne() throws {
    let here = try String(contentsOfFile: #filePath, encoding: .utf8)
    let start = try #require(here.range(of: "extension MergeMethod {"))
    let end = try #require(here.range(of: "\n}\n", range: start.lowerBound..<here.endIndex))
    let guide = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../CONTRIBUTING.md").standardized
    #expect(try String(contentsOf: guide, encoding: .utf8).contains(here[start.lowerBound..<end.upperBound]))
  }

  @Test func theExampleMerges() throws {
    func weights(_ numbers: [Float]) throws -> Weights { Weights([("w", try Tensor(numbers))]) }
    let settings = try MergeSettings(["threshold": [0.5]], for: .sparse, models: 2)
    let merged = try merge(
      [weights([1, 0.25, 3]), weights([2, 0, 3])], base: weights([0, 0, 1]), method: .sparse, settings: settings)
    #expect(try merged["w"]?.array(Float.self) == [1.5, 0, 3])
  }
}
