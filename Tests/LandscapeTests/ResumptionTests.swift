import Foundation
import Networks
import TestSupport
import Testing
import Torch

@testable import Landscape

/// Measurements that were stopped and begun again end as if they had not been.
@Suite struct ResumptionTests {
  private struct Stopped: Error {}

  /// Gives up before a product.
  private final class Failing: SymmetricOperator {
    let operation: MatrixOperator
    let limit: Int
    var dimension: Int { operation.dimension }
    var device: Device { .cpu }

    init(_ operation: MatrixOperator, after limit: Int) { (self.operation, self.limit) = (operation, limit) }

    func callAsFunction(_ vector: Tensor) throws -> Tensor {
      guard operation.products < limit else { throw Stopped() }
      return try operation(vector)
    }
  }

  private static func matrix() throws -> MatrixOperator {
    try MatrixOperator(eigenvalues: (0..<41).map { pow(1.2, Double($0)) })
  }

  private static let computations: [String: @Sendable (any SymmetricOperator) throws -> [Double]] = [
    "eigenvalues": { operation in
      let found = try Eigenvalues(of: operation, largest: 3, smallest: 1, budget: 24, seed: 5, verifies: true)
      return (found.largest + found.smallest).flatMap { [$0.value, $0.residual] } + [Double(found.products)]
    },
    "density": { operation in
      let found = try SpectralDensity(of: operation, probes: 3, steps: 8, seed: 6)
      return found.nodes.flatMap { [$0.value, $0.weight] } + [found.trace.mean]
    },
    "trace": { operation in
      let found = try TraceEstimate(of: operation, probes: 24, seed: 7)
      return try [found.mean, #require(found.standardError)]
    },
  ]

  @Test(arguments: ["eigenvalues", "density", "trace"]) func goesOnWithTheSameBits(_ name: String) throws {
    let compute = try #require(Self.computations[name])
    let scratch = try Scratch()
    let file = scratch.url("products")
    let undisturbed = try Self.matrix()
    let expected = try compute(undisturbed)
    let first = try Self.matrix()
    #expect(throws: Stopped.self) { try compute(RecordedOperator(Failing(first, after: 9), in: file)) }
    #expect(first.products == 9)
    // A crash in the middle of writing leaves a part of a record.
    let size = 16 + 4 * 41
    let whole = try Data(contentsOf: file)
    #expect(whole.count == 9 * size)
    for (damage, replayed) in [
      (whole, 9), (whole + Data(count: 50), 9), (whole.dropLast(3), 8), (whole.prefix(2 * size) + Data(count: size), 2),
      (Data(), 0),
    ] {
      try damage.write(to: file)
      let second = try Self.matrix()
      let recorded = try RecordedOperator(second, in: file)
      #expect(try compute(recorded) == expected)
      #expect(recorded.replayed == replayed && second.products == undisturbed.products - replayed)
      // Nothing is left to be worked out.
      let third = try RecordedOperator(Failing(Self.matrix(), after: 0), in: file)
      #expect(try compute(third) == expected)
      #expect(try Data(contentsOf: file).count == undisturbed.products * size)
    }
    // The products of a matrix that is given other vectors are not taken for these.
    let other = try RecordedOperator(Self.matrix(), in: file)
    _ = try other(.ones([41]))
    #expect(try other.replayed == 0 && Data(contentsOf: file).count == size)
  }

  @Test func aFileThatCannotBeWrittenDoesNotStopIt() throws {
    try #require(FileManager.default.fileExists(atPath: "/dev/full"), "there is no /dev/full here")
    let scratch = try Scratch()
    try FileManager.default.createSymbolicLink(
      at: scratch.url("full"), withDestinationURL: URL(fileURLWithPath: "/dev/full"))
    let recorded = try RecordedOperator(Self.matrix(), in: scratch.url("full"))
    let compute = try #require(Self.computations["trace"])
    #expect(try compute(recorded) == compute(Self.matrix()))
    #expect(recorded.problem?.contains("full") == true && !FileManager.default.fileExists(atPath: scratch.path("full")))
  }

  @Test func batchesThatWereComparedAreNotComparedAgain() throws {
    let samples = try MeasureSamples("mlp")
    let points = try ["a", "b"].map { ($0, try samples.weights($0).clone()) }
    var kept: [Range<Int>: Data] = [:]
    var measured = 0
    /// What a store of JSON does; stops before a batch.
    func keep<Value: Codable>(_ range: Range<Int>, before limit: Int, _ measure: () throws -> Value) throws -> Value {
      if let data = kept[range] { return try JSONDecoder().decode(Value.self, from: data) }
      guard measured < limit else { throw Stopped() }
      measured += 1
      let value = try measure()
      kept[range] = try JSONEncoder().encode(value)
      return value
    }
    func disagreement(before limit: Int) throws -> Disagreement {
      try Disagreement(
        of: points, merge: points[0].1, samples.network, on: samples.examples, batchSize: 8,
        outcomes: { try keep($0, before: limit, $1) })
    }
    let expected = try Disagreement(
      of: points, merge: points[0].1, samples.network, on: samples.examples, batchSize: 8)
    #expect(throws: Stopped.self) { try disagreement(before: 2) }
    #expect(try disagreement(before: 3) == expected)
    (kept, measured) = ([:], 0)
    func cka(before limit: Int) throws -> CKA {
      try CKA(
        of: samples.network, at: points[0].1, points[1].1, layers: ["layers.0", CKA.penultimate], allPairs: true,
        on: samples.examples, batchSize: 8, sums: { try keep($0, before: limit, $1) })
    }
    let whole = try cka(before: 3)
    (kept, measured) = ([:], 0)
    #expect(throws: Stopped.self) { try cka(before: 1) }
    #expect(try cka(before: 3) == whole)
    // Of other layers.
    kept[0..<8] = try JSONEncoder().encode(CKA.BatchSums(cross: [1], own: [[1], [1]]))
    let error = #expect(throws: LandscapeError.self) { try cka(before: 3) }
    #expect(
      error?.description == "what was kept of examples 0..<8 is not of these layers; measure into another folder")
  }
}
