import Merging

/// What becomes of every tensor.
struct MergeListing {
  private struct Line: Encodable {
    let name, dtype, method: String
    let shape: [Int]
    let inputs: [String]
    let settings: [String: [MergeSummary.Value]]
  }

  private let lines: [Line]

  init(_ plan: MergePlan) {
    lines = plan.tensors.map {
      Line(
        name: $0.name, dtype: "\($0.dtype)", method: $0.method.name, shape: $0.shape, inputs: $0.sources,
        settings: MergeSummary.values($0.settings, of: $0.method.name))
    }
  }

  func print(json: Bool) throws {
    if json { return try printJSON(lines) }
    for line in lines {
      let settings = MergeSummary.text(line.settings, isShort: false)
      Swift.print("\(line.name) \(line.shape) \(line.dtype)")
      Swift.print("  \(line.method)(\((line.inputs + settings).joined(separator: ", ")))")
    }
  }
}
