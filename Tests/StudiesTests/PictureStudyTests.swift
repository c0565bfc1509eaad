import Foundation
import TestSupport
import Testing

@testable import Datasets
@testable import Studies

/// Datasets of pictures that are resized on load, as studies declare them.
@Suite final class PictureStudyTests {
  private let scratch: Scratch

  /// Ten pictures of 29 × 40 in each of two classes.
  init() throws {
    scratch = try Scratch()
    let fixtures = fixtureFolder.appendingPathComponent("pictures")
    for (label, name) in [("a", "444.jpg"), ("b", "rgb.png")] {
      let place = scratch.url("set/\(label)")
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      let picture = try Data(contentsOf: fixtures.appendingPathComponent(name))
      for number in 0..<10 {
        try picture.write(to: place.appendingPathComponent("\(number).\((name as NSString).pathExtension)"))
      }
    }
  }

  private func parse(_ dataset: String, _ rest: String = "batch_size: 4") throws -> RunConfiguration {
    let path = scratch.url("set").path
    return try StudyFile.parse("dataset: {\(dataset.replacingOccurrences(of: "HERE", with: path))}\n\(rest)")
      .runs[0].configuration
  }

  private func failure(_ dataset: String, _ rest: String = "batch_size: 4") -> String {
    do { return "no error but \(try parse(dataset, rest))" } catch { return "\(error)" }
  }

  @Test func aFolderIsSurveyedAndResizedOnLoad() throws {
    let configuration = try parse("name: image-folder, path: HERE, size: 20, normalisation: clip")
    #expect(configuration.dataset.train == 16 && configuration.dataset.test == 4)
    #expect(configuration.dataset.classCount == 2)
    #expect(configuration.augmentation == .init(flip: true, resizedCrop: .init()))
    #expect(configuration.dataset.view == PictureView(size: 20, interpolation: .bicubic))
    // What is written into run.json is read back to the same run.
    let text = String(decoding: configuration.canonicalJSON, as: UTF8.self)
    #expect(try StudyFile.parse(text).runs[0].configuration == configuration)
    let setting = try PictureCache.$usualFolder.withValue(scratch.url("cache")) {
      try PreparedRun(configuration)
    }
    #expect(setting.train.count == 16 && setting.test.classes == 2)
    var batches = try setting.batches()
    #expect(try batches.batch(at: 3).inputs.shape == [4, 3, 20, 20])
    #expect(try setting.test.batch(0..<4).labels.array(Int.self) == [0, 0, 1, 1])
  }

  @Test func keysOfPictures() throws {
    let crop = try parse(
      "name: image-folder, path: HERE, resize: 300, interpolation: bicubic",
      "batch_size: 4\naugmentation: {flip: false, resized_crop: {scale: [0.5, 1], ratio: [1, 1]}}")
    #expect(crop.augmentation == .init(resizedCrop: .init(scale: [0.5, 1], ratio: [1, 1])))
    #expect(crop.dataset.view == PictureView(size: 224, resize: 300, interpolation: .bicubic))
    #expect(try parse("name: image-folder, path: HERE", "batch_size: 4\naugmentation: none").augmentation == .none)
    let large = try parse("name: cifar10, size: 224, normalisation: imagenet")
    #expect(large.augmentation == .init(flip: true, resizedCrop: .init()) && large.dataset.view.resize == 224)
    let small = try parse("name: cifar10", "augmentation: {resized_crop: true}")
    #expect(small.augmentation == .init(flip: true, resizedCrop: .init()))
    #expect(try parse("name: cifar10, normalisation: dataset").dataset == .init(name: .cifar10))
  }

  @Test func whatCannotBeIsSaid() throws {
    #expect(failure("name: image-folder").contains("dataset.path: is missing"), "\(failure("name: image-folder"))")
    #expect(failure("name: image-folder, path: /no/such").contains("/no/such: no such folder"))
    #expect(failure("name: cifar10.1").contains("has test examples only; name it under `evaluate`"))
    #expect(failure("name: mnist, normalisation: clip").contains("is for three channels, and mnist has 1"))
    #expect(failure("name: cifar10, resize: 40").contains("not for cifar10"), "\(failure("name: cifar10, resize: 40"))")
    #expect(failure("name: image-folder, path: HERE, corruption: {noise: 0.1}").contains("is for pictures in memory"))
    let both = failure("name: cifar10", "augmentation: {crop: 4, resized_crop: true}")
    #expect(both.contains("augmentation.crop: pads small pictures"), "\(both)")
    let scale = failure("name: cifar10", "augmentation: {resized_crop: {scale: [0, 2]}}")
    #expect(scale.contains("scale is [0.0, 2.0]"), "\(scale)")
  }
}
