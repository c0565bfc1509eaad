import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite struct ImageDatasetTests {
  @Test func shrinkingAveragesTheAreaCovered() throws {
    struct Fixture: Codable {
      var side: Int
      var source: [UInt8]
      var resized: [String: [UInt8]]
    }
    let data = try Data(contentsOf: fixtureFolder.appendingPathComponent("resize.json"))
    let fixture = try JSONDecoder().decode(Fixture.self, from: data)
    // The same picture twice, so that a wrong step from plane to plane shows.
    let dataset = try ImageDataset(
      name: "fixture", split: .test, classNames: ["a"], channels: 1, height: fixture.side, width: fixture.side,
      pixels: fixture.source + fixture.source, labels: [0, 0])
    #expect(fixture.resized.count == 8)
    for (size, expected) in fixture.resized {
      let shrunk = try dataset.resized(to: #require(Int(size)))
      #expect(shrunk.pixels == expected + expected, "size \(size)")
      #expect(shrunk.height == Int(size) && shrunk.width == Int(size))
    }
    #expect(try dataset.resized(to: 12) == dataset)
    for size in [13, 0] {
      #expect(
        Scratch.failure { try dataset.resized(to: size) }
          == "fixture: pictures of 12 × 12 cannot be shrunk to \(size) × \(size); choose a size from 1 to 12")
    }
  }

  @Test func statisticsAreByChannelOnTheUnitScale() throws {
    let dataset = try ImageDataset(
      name: "two", split: .train, classNames: ["a"], channels: 2, height: 1, width: 2,
      pixels: [0, 255, 51, 51, 255, 0, 51, 51], labels: [0, 0])
    let statistics = dataset.channelStatistics()
    #expect(statistics.mean == [0.5, 0.2])
    #expect(statistics.standardDeviation == [0.5, 1])
  }

  @Test func partsThatDisagreeAreRefused() throws {
    func make(_ pixels: Int, _ labels: [Int], height: Int = 2) throws -> ImageDataset {
      try ImageDataset(
        name: "x", split: .train, classNames: ["a", "b"], channels: 1, height: height, width: 2,
        pixels: [UInt8](repeating: 0, count: pixels), labels: labels)
    }
    #expect(try make(8, [0, 1]).classCounts == [1, 1])
    #expect(
      Scratch.failure { try make(7, [0, 1]) } == "x train: 7 bytes of pixels where 2 pictures of 1 × 2 × 2 take 8")
    #expect(Scratch.failure { try make(8, [0, 2]) } == "x train: example 1 has label 2 of 2 classes")
    #expect(
      Scratch.failure { try make(0, [0, 1], height: 0) } == "x train: pictures of 1 × 0 × 2 have no pixels")
    #expect(try make(8, [0, 1]).prefix(1).labels == [0])
    for count in [3, 0] {
      #expect(
        Scratch.failure { try make(8, [0, 1]).prefix(count) }
          == "x train has 2 examples, \(count) were asked for; ask for 1 to 2")
    }
  }
}
