import DataMerging
import Foundation
import Merging
import TestSupport
import Testing

/// Documentation/merging.md has every method as it declares itself.
@Suite struct MergeDocumentationTests {
  private static let page = fixtureFolder.resolvingSymlinksInPath().deletingLastPathComponent()
    .deletingLastPathComponent()
    .appendingPathComponent("Documentation/merging.md")
  private static let marks = ("<!-- methods -->\n", "<!-- end of methods -->\n")

  private static func section(_ method: MergeMethod) -> String {
    let base = [.none: "no base", .optional: "a base if given", .required: "the base"][method.base] ?? ""
    let data = [.examples: "a network and examples", .labelledExamples: "a network and labelled examples"][method.data]
    let needs = [method.modelCount, base] + [data].compactMap(\.self)
    var text = "### `\(method.name)`\n\n\(method.summary)\n\nTakes \(needs.joined(separator: ", "))"
    text += method.isRandom ? "; random (`--seed`)" : ""
    text += method.source.map { ". <\($0)>\n\n" } ?? ".\n\n"
    for parameter in method.parameters {
      let each = parameter.perModel ? ", or one a model" : ""
      text += "- `\(parameter.name)` = \(parameter.defaultText): \(parameter.meaning) (\(parameter.range)\(each))\n"
    }
    return text + (method.parameters.isEmpty ? "" : "\n")
  }

  /// With WRITE_DOCUMENTATION in the environment the page is written instead of compared.
  @Test func thePageHasEveryMethodAsItIs() throws {
    let text = try String(contentsOf: Self.page, encoding: .utf8)
    let start = try #require(text.range(of: Self.marks.0)?.upperBound)
    let end = try #require(text.range(of: Self.marks.1)?.lowerBound)
    let sections = DataMethod.declarations.map(Self.section).joined()
    if ProcessInfo.processInfo.environment["WRITE_DOCUMENTATION"] != nil {
      try (text[..<start] + sections + text[end...]).write(to: Self.page, atomically: true, encoding: .utf8)
    } else {
      #expect(text[start..<end] == sections, "run this test once with WRITE_DOCUMENTATION=1 and commit the page")
    }
  }
}
