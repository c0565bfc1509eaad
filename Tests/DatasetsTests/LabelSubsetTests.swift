import Testing

@testable import Datasets

@Suite struct LabelSubsetTests {
  private func pictures() throws -> ImageDataset {
    try ImageDataset(
      name: "four", split: .test, classNames: ["a", "b", "c"], channels: 1, height: 1, width: 2,
      pixels: [0, 1, 10, 11, 20, 21, 30, 31], labels: [2, 0, 1, 2])
  }

  @Test func labelsAreCountedAnewInTheOrderGiven() throws {
    let kept = try pictures().keeping(labels: [2, 1])
    #expect(kept.labels == [0, 1, 0] && kept.classNames == ["c", "b"])
    #expect(kept.pixels == [0, 1, 20, 21, 30, 31])
  }

  @Test(arguments: [
    ([3], "four test has no label 3; name labels from 0 to 2"), ([-1], "has no label -1"),
    ([1, 1], "label 1 is named twice"), ([], "has no examples with the labels"),
  ])
  func impossibleLabelsAreRefused(_ labels: [Int], _ expected: String) throws {
    let error = try #require(throws: DatasetError.self) { try pictures().keeping(labels: labels) }
    #expect("\(error)".contains(expected), "\(error)")
  }

  @Test func noiseHasItsDeviationAndItsSeed() throws {
    let grey = try ImageDataset(
      name: "grey", split: .test, classNames: ["a"], channels: 1, height: 50, width: 40,
      pixels: [UInt8](repeating: 128, count: 4000), labels: [0, 0])
    let noisy = try grey.withNoise(0.1, seed: 3)
    let values = noisy.pixels.map { Double($0) - 128 }
    let deviation = (values.reduce(0) { $0 + $1 * $1 } / 4000).squareRoot()
    #expect(abs(deviation - 25.5) < 1.5 && abs(values.reduce(0, +) / 4000) < 1.5)
    #expect(try grey.withNoise(0.1, seed: 3) == noisy)
    #expect(try grey.withNoise(0.1, seed: 4) != noisy)
    // The noise of an example does not depend on how many there are.
    #expect(try grey.prefix(1).withNoise(0.1, seed: 3).pixels == Array(noisy.pixels[..<2000]))
    let black = try pictures().withNoise(1, seed: 0)
    #expect(black.labels == [2, 0, 1, 2] && black.pixels.count == 8)
  }
}
