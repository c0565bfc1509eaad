import Foundation
import Merging
import Schema
import TestSupport
import Testing

@testable import Studies

@Suite struct StudyKeysTests {
  private static let page = fixtureFolder.resolvingSymlinksInPath().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Documentation/keys.md")

  /// With WRITE_DOCUMENTATION in the environment the page is written instead of compared.
  @Test func thePageHasEveryKeyAsItIsDeclared() throws {
    var text = try String(contentsOf: Self.page, encoding: .utf8)
    let recipe = KeyList(Recipe.keys, meaning: "how models are merged, as mergekit has it")
    let range = KeyList(Recipe.rangeKeys, meaning: "what is searched in the place of a value")
    for (name, list) in [
      ("study", try StudyKeys.list().markdown(title: "The outermost keys")),
      ("recipe", recipe.markdown(title: "The outermost keys")), ("range", range.markdown(title: "A range")),
    ] {
      let start = try #require(text.range(of: "<!-- keys of a \(name) -->\n\n")?.upperBound)
      let end = try #require(text.range(of: "\n<!-- end of the keys of a \(name) -->")?.lowerBound)
      if ProcessInfo.processInfo.environment["WRITE_DOCUMENTATION"] == nil {
        #expect(text[start..<end] == list, "run this test once with WRITE_DOCUMENTATION=1 and commit the page")
      }
      text.replaceSubrange(start..<end, with: list)
    }
    if ProcessInfo.processInfo.environment["WRITE_DOCUMENTATION"] != nil {
      try text.write(to: Self.page, atomically: true, encoding: .utf8)
    }
  }

  @Test func keysAreFoundByAnyOfTheirNames() throws {
    let rate = try #require(try StudyKeys.list("optimizer.lr").sections.first?.keys.first)
    #expect(rate.name == "learning_rate" && rate.synonyms == ["lr"] && rate.expected == "a number above 0")
    #expect(rate.usual == "0.1 with sgd, 0.001 with adamw" && rate.variant == nil)
    #expect(try StudyKeys.list("lr").sections.map(\.path) == ["optimizer"])
    #expect(try StudyKeys.list("optimizer").sections.map(\.keys.count) == [1, 1, 10])
    #expect(try StudyKeys.list("momentum").sections.first?.keys.map(\.variant) == ["sgd"])
    let json = try JSONEncoder().encode(StudyKeys.list("clip").sections)
    #expect(String(decoding: json, as: UTF8.self).contains("\"meaning\":\"the largest norm of the gradient"))
  }

  @Test func whatCanBeSweptIsOfRunsAndInNoList() {
    let sweepable = Set(StudyKeys.sweepable)
    #expect(sweepable.isSuperset(of: ["optimizer.learning_rate", "augmentation", "measure.noise.every", "evaluate"]))
    #expect(sweepable.isDisjoint(with: ["name", "seeds", "seeds.order", "sweep", "scale", "evaluate.dataset"]))
  }

  @Test func anUnknownKeyIsToldWithTheOneThatWasMeant() {
    let near = #expect(throws: StudyKeys.UnknownKey.self) { try StudyKeys.list("optimiser") }
    #expect(near?.description == "a study has no key optimiser; did you mean optimizer?")
    let far = #expect(throws: StudyKeys.UnknownKey.self) { try StudyKeys.list("xyzzy") }
    #expect(far?.description == "a study has no key xyzzy; `valley study keys` lists them all")
  }

  /// Whatever is stored of a run can be said in a study, under the same name.
  @Test func whatRunsStoreAreKeys() throws {
    let text = """
      start: {pretrain: {dataset: {name: cifar10, size: 16}}}
      dataset: {labels: [0, 1], corruption: {noise: 0.5}, size: 16}
      evaluate: [{name: more, dataset: {name: glyphs, labels: [0, 1]}}]
      optimizer: {name: adamw, clip: 1}
      loss: {label_smoothing: 0.1}
      only: [fc]
      freeze: [conv1]
      schedule: {name: warmup-cosine, warmup: 1, length: 3}
      augmentation: {flip: true, resized_crop: true}
      branch: {initialisation: shared}
      measure: {landscape: {path: 3, similarity: true, curvature: 1, plane: 3, align: weight, examples: 10}}
      merge: {methods: [{name: ties, density: 0.5}], groups: [all], batch_norm_samples: 5}
      predictions: true
      """
    let run = try StudyFile.parse(text).runs[0].configuration
    var unknown: [String] = []
    func walk(_ value: Any, _ keys: [KeyDeclaration], _ path: String) {
      for element in value as? [Any] ?? [] { walk(element, keys, path) }
      for (name, inner) in value as? [String: Any] ?? [:] where path != "merge.methods" {
        if let key = keys.first(where: { $0.name == StudyKeys.spelling.normalised(name) }) {
          walk(inner, key.keys, path.isEmpty ? key.name : "\(path).\(key.name)")
        } else {
          unknown.append("\(path).\(name)")
        }
      }
    }
    walk(try JSONSerialization.jsonObject(with: run.canonicalJSON), StudyKeys.all, "")
    #expect(unknown.isEmpty, "\(unknown)")
    #expect(try StudyFile.parse(String(decoding: run.canonicalJSON, as: UTF8.self)).runs[0].configuration == run)
  }
}
