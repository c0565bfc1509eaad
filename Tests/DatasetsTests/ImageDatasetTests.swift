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
    // Twice the same picture, so that a wrong step from plane to plane shows.
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
    #expect(throws: DatasetError.self) { try dataset.resized(to: 13) }
    #expect(throws: DatasetError.self) { try dataset.resized(to: 0) }
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
    #expect(throws: DatasetError.self) { try make(7, [0, 1]) }
    #expect(throws: DatasetError.self) { try make(8, [0, 2]) }
    #expect(throws: DatasetError.self) { try make(0, [0, 1], height: 0) }
    #expect(try make(8, [0, 1]).prefix(1).labels == [0])
    #expect(throws: DatasetError.self) { try make(8, [0, 1]).prefix(3) }
    #expect(throws: DatasetError.self) { try make(8, [0, 1]).prefix(0) }
  }
}
