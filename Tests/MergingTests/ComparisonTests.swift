import Checkpoints
import Foundation
import Merging
import TestSupport
import Testing
import Torch
import Weights

@Suite struct ComparisonTests {
  private static func model(_ seed: UInt64, _ scale: Double = 1) throws -> Weights {
    let generator = try Generator(seed: seed)
    return try Weights([
      ("layers.0.q.weight", Tensor.normal([9, 7], generator: generator) * scale),
      ("layers.0.q.bias", Tensor.normal([9], generator: generator) * scale),
      ("norm.weight", Tensor.normal([6], generator: generator) * scale),
      ("embed.weight", Tensor.normal([11, 6], generator: generator) * scale),
      ("steps", Tensor([Int64(4)], shape: [1])),
    ])
  }

  @Test func differencesAreThoseOfTheDefinitions() throws {
    let (base, a, b) = try (Self.model(1), Self.model(2), Self.model(3))
    let difference = try ModelDifference(a, b, base: base, hasSpectrum: true)
    #expect(difference.rows.map(\.name) == ["layers.0.q.weight", "layers.0.q.bias", "norm.weight", "embed.weight"])
    for row in difference.rows {
      func array(_ weights: Weights) throws -> [Double] { try #require(weights[row.name]).array(Double.self) }
      let (x, y, start) = try (array(a), array(b), array(base))
      func dot(_ p: [Double], _ q: [Double]) -> Double { zip(p, q).map(*).reduce(0, +) }
      let (dx, dy) = (zip(x, start).map { $0 - $1 }, zip(y, start).map { $0 - $1 })
      let apart = zip(y, x).map { $0 - $1 }
      #expect(abs(row.distance / dot(apart, apart).squareRoot() - 1) < 1e-6)
      #expect(abs(try #require(row.relative) - (dot(apart, apart) / dot(x, x)).squareRoot()) < 1e-6)
      #expect(abs(try #require(row.cosine) - dot(x, y) / (dot(x, x) * dot(y, y)).squareRoot()) < 1e-6)
      let task = try #require(row.task)
      #expect(abs(try #require(task.cosine) - dot(dx, dy) / (dot(dx, dx) * dot(dy, dy)).squareRoot()) < 1e-6)
      let opposite = zip(dx, dy).filter { $0 * $1 < 0 }.count
      #expect(task.signConflicts == Double(opposite) / Double(x.count))
      guard row.shape.count == 2 else {
        #expect(row.spectrum == nil)
        continue
      }
      let values = try Tensor(apart, shape: row.shape).singularValues().array(Double.self)
      let energy = values.map { $0 * $0 }.reduce(0, +)
      let spectrum = try #require(row.spectrum)
      #expect(abs(spectrum.stableRank - energy / (values[0] * values[0])) < 1e-4)
      #expect(values.prefix(spectrum.rank90).map { $0 * $0 }.reduce(0, +) >= 0.9 * energy - 1e-6)
      #expect(values.prefix(spectrum.rank90 - 1).map { $0 * $0 }.reduce(0, +) < 0.9 * energy)
    }
    let same = try ModelDifference(a, a)
    #expect(same.rows.allSatisfy { $0.distance == 0 && abs(($0.cosine ?? 0) - 1) < 1e-12 && $0.task == nil })
  }

  @Test func whatOnlyOneHasIsListed() throws {
    let a = try Self.model(1)
    var b = try Self.model(2)
    b["norm.weight"] = nil
    b["head"] = try .zeros([2])
    b["embed.weight"] = try .zeros([3, 6])
    let difference = try ModelDifference(a, b)
    #expect(difference.onlyInFirst == ["norm.weight"] && difference.onlyInSecond == ["head"])
    #expect(difference.misfits == ["embed.weight: [11, 6] and [3, 6]"])
    let strange = #expect(throws: MergeError.self) { try ModelDifference(a, Weights([("x", Tensor.zeros([1]))])) }
    #expect("\(try #require(strange))".contains("no tensor of the same name and shape: layers.0.q.weight … in the"))
    let lacking = #expect(throws: MergeError.self) { try ModelDifference(a, a, base: b) }
    #expect("\(try #require(lacking))".contains("norm.weight: is missing in the base, and [6] in the models"))
  }

  /// At full rank the adapter gives the fine-tune again; below, the nearest matrix of its rank.
  @Test(arguments: [false, true])
  func adaptersRebuildTheFineTune(_ isTransposed: Bool) throws {
    try withTemporaryFolder { folder in
      let base = try Self.model(1)
      let change = try Self.model(2, 0.1)
      let tuned = try base.mapTensors { name, tensor in
        tensor.dtype.isFloatingPoint ? try tensor + #require(change[name]) : tensor
      }
      try Safetensors.write(base, to: folder + "/base.safetensors")
      for (rank, limit) in [(20, 1e-5), (2, 0.9)] {
        let lora = try LoraExtraction(tuned, base: base, rank: rank, isTransposed: isTransposed)
        #expect(lora.error < limit)
        try lora.write(to: folder + "/lora", base: "base", replaces: true)
        let yaml = "merge_method: passthrough\nmodels: [{model: base.safetensors+lora}]"
        var options = MergePlan.Options()
        options.replaces = true
        try MergePlan(Recipe(yaml: yaml, file: "r.yml"), relativeTo: folder)
          .write(to: folder + "/out.safetensors", options: options)
        let result = try Safetensors.read(folder + "/out.safetensors").weights
        for row in lora.rows where row.kind != .unchanged {
          let (ours, whole) = try (#require(result[row.name]), #require(tuned[row.name]))
          let rest = try (whole - ours).norm().item() / row.change
          #expect(abs(rest - row.error) < 1e-4, "\(row.name)")
          guard rank == 2, row.kind == .adapted else { continue }
          // Eckart and Young: no matrix of that rank is nearer.
          let values = try #require(change[row.name]).singularValues().array(Double.self)
          let least = values.dropFirst(2).map { $0 * $0 }.reduce(0, +).squareRoot()
          #expect(abs(row.error * row.change - least) < 1e-4, "\(row.name)")
        }
      }
      let same = #expect(throws: MergeError.self) { try LoraExtraction(base, base: base, rank: 2) }
      #expect("\(try #require(same))" == "the model does not differ from the base")
      let rankless = #expect(throws: MergeError.self) { try LoraExtraction(tuned, base: base, rank: 0) }
      #expect("\(try #require(rankless))" == "the rank is 0; it must be at least 1")
      #expect {
        _ = try LoraExtraction(tuned, base: base.filter { name, _ in name != "norm.weight" }, rank: 2)
      } throws: { "\($0)".contains("norm.weight") }
    }
  }

  /// Large matrices are decomposed only as far as needed.
  @Test func largeMatricesLoseNoMoreThanTheyMust() throws {
    let generator = try Generator(seed: 5)
    let low = try Tensor.normal([300, 3], generator: generator).matmul(Tensor.normal([3, 280], generator: generator))
    let noise = try Tensor.normal([300, 280], generator: generator) * 0.01
    let base = try Weights([("a.weight", Tensor.zeros([300, 280]))])
    let lora = try LoraExtraction(Weights([("a.weight", low + noise)]), base: base, rank: 3)
    let values = try (low + noise).singularValues().array(Double.self).map { $0 * $0 }
    let least = (values.dropFirst(3).reduce(0, +) / values.reduce(0, +)).squareRoot()
    #expect(abs(lora.error - least) < 1e-4)
  }

  @Test func elementsAreSummedUp() throws {
    let summary = try ElementSummary(Tensor([1, 0, -3, .infinity, .nan, 2] as [Float]))
    #expect(summary.notFinite == 2 && summary.zeros == 1 && summary.mean == 0)
    #expect(summary.least == -3 && summary.largest == 2 && summary.deviation == 3.5.squareRoot())
    #expect(try ElementSummary(Tensor([.nan] as [Float])).mean == nil)
  }
}
