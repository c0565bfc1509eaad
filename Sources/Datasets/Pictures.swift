import Foundation
import Torch

/// What is read of one split of a dataset: small pictures of one size in main memory, or others in a store.
public enum Pictures: Sendable {
  case inMemory(ImageDataset)
  case stored(PictureStore)

  public var name: String {
    switch self {
    case .inMemory(let dataset): dataset.name
    case .stored(let store): store.name
    }
  }

  /// The number of examples.
  public var count: Int { labels.count }

  public var channels: Int {
    switch self {
    case .inMemory(let dataset): dataset.channels
    case .stored(let store): store.channels
    }
  }

  /// Names by label.
  public var classNames: [String] {
    switch self {
    case .inMemory(let dataset): dataset.classNames
    case .stored(let store): store.classNames
    }
  }

  /// [count], each below `classNames.count`.
  public var labels: [Int] {
    switch self {
    case .inMemory(let dataset): dataset.labels
    case .stored(let store): store.labels
    }
  }

  /// Examples by label.
  public var classCounts: [Int] {
    var counts = [Int](repeating: 0, count: classNames.count)
    for label in labels { counts[label] += 1 }
    return counts
  }

  /// Height and width of the smallest and of the largest picture, by area.
  public var sizes: (smallest: (height: Int, width: Int), largest: (height: Int, width: Int)) {
    switch self {
    case .inMemory(let dataset):
      return ((dataset.height, dataset.width), (dataset.height, dataset.width))
    case .stored(let store):
      let sorted = (0..<store.count).map(store.size).sorted { ($0.height * $0.width) < ($1.height * $1.width) }
      return (sorted.first ?? (0, 0), sorted.last ?? (0, 0))
    }
  }

  /// Mean and standard deviation of each channel over all pixels, on the scale 0 … 1.
  public func channelStatistics() -> ChannelStatistics {
    switch self {
    case .inMemory(let dataset): dataset.channelStatistics()
    case .stored(let store): store.channelStatistics()
    }
  }

  /// The examples as a network takes them.
  ///
  /// - Parameters:
  ///   - view: how stored pictures are brought to a network's size. Those in memory have theirs.
  ///   - statistics: what they are normalised by.
  ///   - augmentation: what training batches will ask for; resized crops are not made from a dataset on a device.
  /// - Throws: `DatasetError`, `TorchError`.
  public func examples(
    _ view: PictureView, normalisedBy statistics: ChannelStatistics, augmentation: Augmentation = .none,
    on device: Device = .cpu
  ) throws -> any PictureSource {
    switch self {
    case .inMemory(let dataset) where augmentation.resizedCrop == nil:
      return try DeviceDataset(dataset, normalisedBy: statistics, on: device)
    case .inMemory(let dataset):
      return try PictureDataset(
        PictureStore(dataset), size: min(dataset.height, dataset.width), interpolation: view.interpolation,
        normalisedBy: statistics, on: device)
    case .stored(let store):
      return try PictureDataset(
        store, size: view.size, resize: view.resize, interpolation: view.interpolation, normalisedBy: statistics,
        on: device)
    }
  }
}

/// Pictures that training batches can be drawn from.
public protocol PictureSource: ExampleSource {
  var channels: Int { get }
  /// Pixels from top to bottom, as batches have them.
  var height: Int { get }
  var width: Int { get }

  /// Training batches; see `TrainingBatches` and `PictureBatches`.
  func batches(
    batchSize: Int, augmentation: Augmentation, orderSeed: Int, augmentationSeed: Int
  ) throws -> any BatchStream
}

extension DeviceDataset: PictureSource {
  public func batches(
    batchSize: Int, augmentation: Augmentation, orderSeed: Int, augmentationSeed: Int
  ) throws -> any BatchStream {
    try TrainingBatches(
      self, batchSize: batchSize, augmentation: augmentation, orderSeed: orderSeed, augmentationSeed: augmentationSeed)
  }
}

extension PictureDataset: PictureSource {
  public var height: Int { size }
  public var width: Int { size }

  public func batches(
    batchSize: Int, augmentation: Augmentation, orderSeed: Int, augmentationSeed: Int
  ) throws -> any BatchStream {
    try PictureBatches(
      self, batchSize: batchSize, augmentation: augmentation, orderSeed: orderSeed, augmentationSeed: augmentationSeed)
  }
}

/// How large pictures are brought to a network's size: the shorter side to `resize`, then a square of `size` from the middle.
public struct PictureView: Codable, Hashable, Sendable {
  public var size: Int
  public var resize: Int
  public var interpolation: Interpolation

  /// - Parameters:
  ///   - resize: nil: `size`.
  ///   - interpolation: nil: bilinear.
  public init(size: Int, resize: Int? = nil, interpolation: Interpolation? = nil) {
    self.size = size
    self.resize = resize ?? size
    self.interpolation = interpolation ?? .bilinear
  }
}

extension KnownDataset {
  /// What reference recipes do to a dataset's pictures: CLIP's resizes the shorter side to the size it cuts, bicubically; that for
  /// ImageNet to 8/7 of it, bilinearly. Small pictures are resized whole.
  public func usualView(size: Int?, normalisation: Normalisation) -> PictureView {
    let size = size ?? shape.height
    let isWhole = !isResizedOnLoad || normalisation == .clip
    return PictureView(
      size: size, resize: isWhole ? size : (size * 8 + 3) / 7,
      interpolation: normalisation == .clip ? .bicubic : .bilinear)
  }

  /// Reads one split from `folder` (nil: the usual one), or draws it.
  ///
  /// Large pictures, and those in files of their own, are decoded once into a cache in `usualFolder`.
  ///
  /// - Parameters:
  ///   - labels: only these classes, numbered anew in this order; nil: all.
  ///   - count: how many examples; nil: all there are. Of datasets in whole files the first ones, of folders a fixed choice.
  ///   - size: for datasets in memory: shrink to this many pixels a side; larger ones are left for `PictureDataset` to reach.
  ///   - glyphs: the glyphs' parameters; ignored by the others.
  ///   - threads: how many decode at a time; nil: as many as libtorch uses.
  ///   - progress: called now and then while the cache is filled.
  /// - Throws: `DatasetError`.
  public func pictures(
    _ split: Split, from folder: URL? = nil, labels: [Int]? = nil, count: Int? = nil, size: Int? = nil,
    glyphs: Glyphs = Glyphs(), threads: Int? = nil, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws -> Pictures {
    let folder = folder ?? usualFolder
    guard self.count(split) != 0 else {
      throw DatasetError(
        "\(rawValue) has no \(split == .train ? "training" : "test") examples",
        remedy: split == .train ? "use it to evaluate what was trained on another dataset" : nil)
    }
    guard var listing = try listing(split, in: folder) else {
      // Classes are chosen before examples are counted.
      var dataset = try load(
        split, from: folder, count: labels == nil ? count : nil, size: self == .glyphs ? size : nil, glyphs: glyphs)
      if let labels {
        dataset = try dataset.keeping(labels: labels)
        if let count { dataset = try dataset.prefix(count) }
      }
      guard let size, self != .glyphs else { return .inMemory(dataset) }
      return size > dataset.height ? .stored(PictureStore(dataset)) : .inMemory(try dataset.resized(to: size))
    }
    if let labels { listing = try listing.keeping(labels) }
    if let count { listing = try listing.sample(count) }
    let store = try PictureCache.open(listing, threads: threads ?? Libtorch.threads, progress: progress)
    guard self == .tinyImageNet else { return .stored(store) }
    let native = shape.height
    if let size, size > native { return .stored(store) }
    return .inMemory(try store.imageDataset().resized(to: size ?? native))
  }

  /// Whether every picture is a file of its own, or a part of one, and decoded into a cache.
  public var hasPictureFiles: Bool { isResizedOnLoad || self == .tinyImageNet }

  /// The files of a split, for datasets of one file a picture; nil for the others.
  func listing(_ split: Split, in folder: URL) throws -> PictureListing? {
    switch self {
    case .tinyImageNet: try TinyImageNet.list(split, in: folder)
    case .resisc45: try RESISC45.list(split, in: folder)
    case .fmow, .fmowValidation, .fmowOOD, .fmowOODValidation:
      try fmowPart(split).map { try FMoW.list($0, name: rawValue, as: split, in: folder) }
    case .imageFolder: try ImageFolder.list(name: rawValue, split, in: folder)
    case .parquet: try Parquet.list(split, in: folder)
    default: nil
    }
  }

  /// What lies in the folder of a dataset of one's own.
  /// - Throws: `DatasetError`.
  public func survey(_ folder: URL) throws -> (train: Int, test: Int, classNames: [String]) {
    guard let train = try listing(.train, in: folder), let test = try listing(.test, in: folder) else {
      return (count(.train) ?? 0, count(.test) ?? 0, classNames)
    }
    return (train.entries.count, test.entries.count, train.classNames)
  }
}
