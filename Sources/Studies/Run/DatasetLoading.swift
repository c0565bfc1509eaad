import Datasets
import Foundation

extension DatasetChoice {
  /// Reads or draws one split.
  public func load(_ split: Split) throws -> Pictures {
    let wanted = split == .train ? train : test
    if name.hasPictureFiles {
      return try name.pictures(split, from: folder, labels: labels, count: wanted, size: size)
    }
    // What is larger than its files is resized on load.
    let enlarged = name != .glyphs && (size ?? 0) > name.shape.height
    func finished(_ pictures: ImageDataset) throws -> Pictures {
      let pictures = try corruption.map { try pictures.withNoise($0.noise, seed: $0.seed) } ?? pictures
      return enlarged ? .stored(PictureStore(pictures)) : .inMemory(pictures)
    }
    let read = { try self.read(split, count: $0, size: enlarged ? nil : size) }
    guard let labels else { return try finished(read(wanted)) }
    // Glyphs go through their classes in turn, so a set of the right size can be drawn; files are read whole.
    let classes = classes ?? Glyphs().classes
    let drawn = name == .glyphs ? wanted.map { ($0 + labels.count - 1) / max(1, labels.count) * classes } : nil
    let kept = try read(drawn).keeping(labels: labels)
    return try finished(wanted.map { try kept.prefix($0) } ?? kept)
  }

  var folder: URL? { path.map { URL(fileURLWithPath: ($0 as NSString).expandingTildeInPath) } }

  private func read(_ split: Split, count: Int?, size: Int?) throws -> ImageDataset {
    let standard = Glyphs()
    return try name.load(
      split, from: folder, count: count, size: size,
      glyphs: Glyphs(
        classes: classes ?? standard.classes, noise: noise ?? standard.noise,
        seed: UInt64(bitPattern: Int64(seed))))
  }

  /// How pictures that are resized on load come to the size that networks are given.
  var view: PictureView {
    let usual = name.usualView(size: size, normalisation: normalisation ?? .dataset)
    return PictureView(
      size: usual.size, resize: resize ?? usual.resize, interpolation: interpolation ?? usual.interpolation)
  }

  /// Whether batches are made from pictures of other sizes, and not from a dataset on the device.
  var isResizedOnLoad: Bool { name.isResizedOnLoad || name != .glyphs && (size ?? 0) > name.shape.height }

  /// Flip and crop for photographs; none where left and right matter.
  var usualAugmentation: Augmentation {
    let usual = name.usualAugmentation
    return usual.crop > 0 && isResizedOnLoad ? .init(flip: usual.flip, resizedCrop: .init()) : usual
  }

  /// Such as `glyphs`, `CIFAR-10 at 16×16`.
  public var summary: String {
    let names: [Name: String] = [
      .cifar10: "CIFAR-10", .cifar100: "CIFAR-100", .cifar10_1: "CIFAR-10.1", .cifar10_1v4: "CIFAR-10.1 (v4)",
      .svhn: "SVHN", .svhnExtra: "SVHN with extra", .mnist: "MNIST", .fashionMNIST: "Fashion-MNIST",
      .tinyImageNet: "TinyImageNet", .resisc45: "RESISC45", .fmow: "WILDS-FMoW", .fmowOOD: "WILDS-FMoW (OOD)",
      .tinyStories: "TinyStories", .tinyShakespeare: "Tiny Shakespeare",
    ]
    return (names[name] ?? name.rawValue) + (size.map { " at \($0)×\($0)" } ?? "")
      + (labels.map { ", \($0.count) classes" } ?? "") + (corruption.map { ", noise \($0.noise)" } ?? "")
  }
}

extension KnownDataset {
  /// Flip and crop for photographs; none where left and right matter.
  public var usualAugmentation: Augmentation {
    switch self {
    case .cifar10, .cifar100, .cifar10_1, .cifar10_1v4: .init(flip: true, crop: 4)
    case .tinyImageNet: .init(flip: true, crop: 8)
    case .resisc45, .fmow, .fmowValidation, .fmowOOD, .fmowOODValidation, .imageFolder, .parquet:
      .init(flip: true, resizedCrop: .init())
    case .glyphs, .svhn, .svhnExtra, .mnist, .fashionMNIST, .tinyStories, .tinyShakespeare, .text: .none
    }
  }
}
