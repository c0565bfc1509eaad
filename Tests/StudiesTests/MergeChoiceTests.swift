import Foundation
import Merging
import Schema
import Testing

@testable import Studies

@Suite struct MergeChoiceTests {
  private func configuration(_ yaml: String) throws -> RunConfiguration {
    try StudyFile.parse(yaml).runs[0].configuration
  }

  @Test func methodsWithTheirOwnAlphas() throws {
    let run = try configuration(
      """
      merge:
        alphas: [0.25, 0.5]
        groups: [pairs, all]
        methods:
          - linear
          - {name: task_arithmetic, alphas: [0.2, 1.5]}
          - {name: ties, density: 0.2, normalize: off}
          - model_stock
      branch: {endpoints: 3}
      """)
    #expect(run.merge.groups == [.pairs, .all] && run.merge.usesBase)
    #expect(
      run.merge.methods == [
        .init(name: "linear"), .init(name: "task_arithmetic", alphas: [0.2, 1.5]),
        .init(name: "ties", parameters: ["density": 0.2, "normalize": 0]), .init(name: "model_stock"),
      ])
    // Three pairs of 2 + 2 + 2 + 1 merges; of all three the mean, then 2 + 2 + 1.
    #expect(run.mergesPerBranch == 3 * 7 + 6)
    // run.json is read as a study where a single run is looked at again.
    let again = try configuration(String(decoding: run.canonicalJSON, as: UTF8.self))
    #expect(again == run)
  }

  @Test func plainLinearMergesAreTheSameRunAsBefore() throws {
    #expect(try configuration("merge: {methods: [linear], groups: [pairs]}") == RunConfiguration())
    #expect(!RunConfiguration().merge.usesBase)
  }

  @Test func everyMethodCanBeNamed() throws {
    // A study merges pairs; some methods take one model.
    for method in MergeMethod.all where method.maximumModels ?? 2 >= 2 {
      let run = try configuration("merge: {methods: [\(method.name)]}")
      #expect(run.merge.methods?.first?.name ?? "linear" == method.name)
    }
  }

  @Test(arguments: [
    ("methods: []", "1:18: merge.methods: is empty; expected at least one"),
    ("methods: [ties, tiess]", "1:25: merge.methods: is tiess; expected one of linear, task_arithmetic"),
    ("methods: [{density: 1}]", "1:19: merge.methods: has an entry without a name"),
    ("methods: [{name: ties, densty: 1}]", "1:32: merge.methods.densty: is not a key here; did you mean `density`?"),
    (
      "methods: [{name: ties, density: 3}]",
      "1:19: merge.methods.0: ties: density is 3; it must be a number within 0 … 1"
    ),
    ("methods: [{name: ties, density: x}]", "1:41: merge.methods.density: is x; expected a finite number"),
    (
      "methods: [{name: ties, lambda: 1}]", "1:19: merge.methods.0: ties: lambda is what alphas stand for; leave it out"
    ),
    ("methods: [linear, {name: slerp, alphas: [2]}]", "1:27: merge.methods.1: has 2.0; expected 0 … 1"),
    ("methods: [{name: ties, alphas: []}]", "1:19: merge.methods.0: is empty; expected at least one α"),
    ("methods: [{name: karcher, alphas: [1]}]", "1:19: merge.methods.0: has alphas, but karcher takes no such number"),
    ("methods: [ties, ties]", "1:25: merge.methods.1: is there twice: ties"),
    ("groups: [pair]", "1:18: merge.groups: is pair; expected one of pairs, all; did you mean `pairs`?"),
    (
      "groups: [all], methods: [slerp]}\nbranch: {endpoints: 3",
      "1:34: merge.methods.0: slerp takes 2 models; there are 3"
    ),
  ])
  func mistakesAreToldWithTheirPlace(_ merge: String, _ expected: String) throws {
    let error = try #require(throws: YAMLFileError.self) { try StudyFile.parse("merge: {\(merge)}") }
    #expect(error.description.contains("study.yaml:\(expected)"), "\(error)")
  }
}
