import Foundation
import Testing
import Torch

@testable import Datasets

/// Compares with torchvision's antialiased resize of float tensors, and with Pillow's of bytes.
@Suite struct ResamplingTests {
  struct Fixture: Codable {
    struct Crop: Codable {
      var interpolation: Interpolation
      var box: [Int]
      var size: Int
      var floats: [Float]
      var bytes: [UInt8]
    }
    struct Middle: Codable {
      var interpolation: Interpolation
      var resize: Int
      var size: Int
      var floats: [Float]
      var bytes: [UInt8]
    }
    var height: Int
    var width: Int
    var picture: Data
    var crops: [Crop]
    var middles: [Middle]
  }

  static let unit = ChannelStatistics(mean: [0, 0, 0], standardDeviation: [1.0 / 255, 1.0 / 255, 1.0 / 255])

  static func fixture() throws -> (Fixture, PictureStore) {
    let fixture = try JSONDecoder().decode(Fixture.self, from: Data(ArrayFileTests.bytes("resampling.json")))
    let area = fixture.height * fixture.width
    let bytes = [UInt8](fixture.picture)
    let planes = (0..<3).flatMap { channel in (0..<area).map { bytes[$0 * 3 + channel] } }
    let store = PictureStore(
      try ImageDataset(
        name: "scene", split: .test, classNames: ["a"], channels: 3, height: fixture.height, width: fixture.width,
        pixels: planes, labels: [0]))
    return (fixture, store)
  }

  private func check(
    _ batch: ExampleBatch, _ floats: [Float], _ bytes: [UInt8], _ interpolation: Interpolation, _ about: String
  ) throws {
    #expect(batch.inputs.isContiguous(.channelsLast))
    let got = try batch.inputs.permute([0, 2, 3, 1]).array(Float.self)
    #expect(got.count == floats.count)
    // For floats, torchvision does not clip what a cubic filter overshoots. Pillow does, after each of its two passes.
    let limited = floats.map { interpolation == .bicubic ? min(max($0, 0), 255) : $0 }
    let worst = zip(got, limited).map { abs($0 - $1) }.max() ?? 1
    #expect(worst < 2e-3, "\(about): \(worst) from torchvision")
    let pillow = zip(got, bytes).map { abs($0 - Float($1)) }.max() ?? 9
    #expect(pillow < (interpolation == .bicubic ? 2.5 : 1.3), "\(about): \(pillow) from Pillow")
  }

  @Test func cropsAreThoseOfTorchvision() throws {
    let (fixture, store) = try Self.fixture()
    #expect(fixture.crops.count == 10)
    for crop in fixture.crops {
      let dataset = try PictureDataset(
        store, size: crop.size, interpolation: crop.interpolation, normalisedBy: Self.unit, threads: 1)
      let box = PictureBox(top: crop.box[0], left: crop.box[1], height: crop.box[2], width: crop.box[3])
      let batch = try dataset.batch(examples: [0]) { _, _ in dataset.part(box, isMirrored: false) }
      try check(
        batch, crop.floats, crop.bytes, crop.interpolation, "\(crop.box) to \(crop.size), \(crop.interpolation)")
      let mirrored = try dataset.batch(examples: [0]) { _, _ in dataset.part(box, isMirrored: true) }
      let difference = try (mirrored.inputs.flip([3]) - batch.inputs).abs().max().item()
      #expect(difference < 1e-3, "mirrored: \(difference)")
    }
  }

  @Test func evaluationSeesTheMiddle() throws {
    let (fixture, store) = try Self.fixture()
    #expect(fixture.middles.count == 6)
    for middle in fixture.middles {
      let dataset = try PictureDataset(
        store, size: middle.size, resize: middle.resize, interpolation: middle.interpolation, normalisedBy: Self.unit)
      try check(
        dataset.batch(0..<1), middle.floats, middle.bytes, middle.interpolation,
        "\(middle.resize), \(middle.size), \(middle.interpolation)")
    }
  }

  @Test func oneChannelAndNormalisation() throws {
    let grey = try ImageDataset(
      name: "grey", split: .test, classNames: ["a"], channels: 1, height: 2, width: 2, pixels: [0, 255, 51, 51],
      labels: [0])
    let statistics = ChannelStatistics(mean: [0.5], standardDeviation: [0.25])
    let same = try PictureDataset(PictureStore(grey), size: 2, normalisedBy: statistics).batch(0..<1).inputs
    #expect(
      try same.shape == [1, 1, 2, 2]
        && zip(same.array(Float.self), [-2, 2, -1.2, -1.2]).allSatisfy { abs($0 - $1) < 1e-5 })
    let larger = try PictureDataset(PictureStore(grey), size: 3, normalisedBy: statistics).batch(0..<1).inputs
    #expect(try abs(larger.array(Float.self)[1]) < 1e-5)
    #expect(
      Scratch.failure { try PictureDataset(PictureStore(grey), size: 2, normalisedBy: Self.unit) }
        == "grey: statistics of 3 channels for pictures of 1; normalise by the dataset's own")
    let text = Scratch.failure { try PictureDataset(PictureStore(grey), size: 4, resize: 3, normalisedBy: statistics) }
    #expect(text.hasPrefix("grey: a size of 4 cut from pictures resized to 3; choose a size"), "\(text)")
  }
}
