import Foundation
import Torch

/// The pictures of one split of a dataset: small ones of one size in main memory, others in a store.
public enum Pictures: Sendable {
  /// Small pictures of one size.
  case inMemory(ImageDataset)
  /// Pictures that are resized whenever a batch is made.
  case stored(PictureStore)

  /// The dataset's name, for messages.
  public var name: String {
    switch self {
    case .inMemory(let dataset): dataset.name
    case .stored(let store): store.name
    }
  }

  /// The number of examples.
  public var count: Int { labels.count }

  /// The number of colour channels, 1 or 3.
  public var channels: Int {
    switch self {
    case .inMemory(let dataset): dataset.channels
    case .stored(let store): store.channels
    }
  }

  /// The name of each label.
  public var classNames: [String] {
    switch self {
    case .inMemory(let dataset): dataset.classNames
    case .stored(let store): store.classNames
    }
  }

  /// The class of each example, below `classNames.count`.
  public var labels: [Int] {
    switch self {
    case .inMemory(let dataset): dataset.labels
    case .stored(let store): store.labels
    }
  }

  /// The number of examples of each label.
  public var classCounts: [Int] {
    var counts = [Int](repeating: 0, count: classNames.count)
    for label in labels { counts[label] += 1 }
    return counts
  }

  /// The height and width of the smallest and the largest picture by area, in pixels.
  public var sizes: (smallest: (height: Int, width: Int), largest: (height: Int, width: Int)) {
    switch self {
    case .inMemory(let dataset):
      return ((dataset.height, dataset.width), (dataset.height, dataset.width))
    case .stored(let store):
      let sorted = (0..<store.count).map(store.size).sorted { ($0.height * $0.width) < ($1.height * $1.width) }
      return (sorted.first ?? (0, 0), sorted.last ?? (0, 0))
    }
  }

  /// The mean and the standard deviation of each channel over all pixels, on the scale 0 … 1.
  public func channelStatistics() -> ChannelStatistics {
    switch self {
    case .inMemory(let dataset): dataset.channelStatistics()
    case .stored(let store): store.channelStatistics()
    }
  }

  /// The examples as a network takes them.
  ///
  /// - Parameters:
  ///   - view: how stored pictures are brought to a network's size. Pictures in memory keep theirs.
  ///   - statistics: what they are normalised by
  ///   - augmentation: what training batches will ask for. Resized crops cannot be made from a dataset on a device, so
  ///     they decide which kind of source is made.
  ///   - device: where batches are
  /// - Throws: `DatasetError` when the statistics have another number of channels or a size is out of range,
  ///   `TorchError` for lack of memory.
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
  /// The number of colour channels, 1 or 3.
  var channels: Int { get }
  /// Pixels from top to bottom in a batch.
  var height: Int { get }
  /// Pixels from left to right in a batch.
  var width: Int { get }

  /// Training batches by step, as ``TrainingBatches`` and ``PictureBatches`` describe them.
  ///
  /// - Throws: `DatasetError` when a batch would be empty or larger than the source, or the augmentation does not suit
  ///   it.
  func batches(
    batchSize: Int, augmentation: Augmentation, orderSeed: Int, augmentationSeed: Int
  ) throws -> any BatchStream
}

extension DeviceDataset: PictureSource {
  /// Batches with mirroring and padded crops; see ``TrainingBatches``.
  public func batches(
    batchSize: Int, augmentation: Augmentation, orderSeed: Int, augmentationSeed: Int
  ) throws -> any BatchStream {
    try TrainingBatches(
      self, batchSize: batchSize, augmentation: augmentation, orderSeed: orderSeed, augmentationSeed: augmentationSeed)
  }
}

extension PictureDataset: PictureSource {
  /// `size`
  public var height: Int { size }
  /// `size`
  public var width: Int { size }

  /// Batches with mirroring and resized crops; see ``PictureBatches``.
  public func batches(
    batchSize: Int, augmentation: Augmentation, orderSeed: Int, augmentationSeed: Int
  ) throws -> any BatchStream {
    try PictureBatches(
      self, batchSize: batchSize, augmentation: augmentation, orderSeed: orderSeed, augmentationSeed: augmentationSeed)
  }
}

/// How large pictures are brought to a network's size: the shorter side is resized to `resize`, and a square of `size`
/// is cut from the middle.
public struct PictureView: Codable, Hashable, Sendable {
  /// The height and width of what comes out, in pixels
  public var size: Int
  /// The shorter side before the middle is cut out, in pixels
  public var resize: Int
  /// How pictures are resized
  public var interpolation: Interpolation

  /// A view; `PictureDataset` checks its sizes.
  ///
  /// - Parameters:
  ///   - size: the height and width of what comes out, in pixels
  ///   - resize: the shorter side before the middle is cut out, in pixels; nil: `size`
  ///   - interpolation: how pictures are resized; nil: bilinear
  public init(size: Int, resize: Int? = nil, interpolation: Interpolation? = nil) {
    self.size = size
    self.resize = resize ?? size
    self.interpolation = interpolation ?? .bilinear
  }
}

extension KnownDataset {
  /// What reference recipes do with a dataset's pictures. CLIP's resizes the shorter side to the size that it cuts,
  /// bicubically, and ImageNet's to 8/7 of that size, bilinearly. Small pictures are resized as a whole.
  ///
  /// - Parameters:
  ///   - size: the network's; nil: the usual one, as in `shape`
  ///   - normalisation: says which recipe it is
  public func usualView(size: Int?, normalisation: Normalisation) -> PictureView {
    let size = size ?? shape.height
    let isWhole = !isResizedOnLoad || normalisation == .clip
    return PictureView(
      size: size, resize: isWhole ? size : (size * 8 + 3) / 7,
      interpolation: normalisation == .clip ? .bicubic : .bilinear)
  }

  /// Reads one split of a dataset, or draws it.
  ///
  /// Large pictures, and those in files of their own, are decoded once into a cache in `usualFolder`.
  ///
  /// - Parameters:
  ///   - split: which part
  ///   - folder: where its files are; nil: the usual folder
  ///   - labels: the classes to keep, which get new numbers in this order; nil: all
  ///   - count: how many examples: the first ones of a dataset in whole files, a fixed choice of one in folders; nil:
  ///     all there are
  ///   - size: the height and width to which a dataset in memory is shrunk; nil: as it is. `PictureDataset` makes
  ///     pictures larger.
  ///   - glyphs: the glyphs' settings, ignored by other datasets
  ///   - threads: how many threads decode; nil: as many as libtorch uses
  ///   - progress: called now and then while the cache is being filled
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

  /// Whether every picture is a file of its own, or a part of one, and is decoded into a cache.
  public var hasPictureFiles: Bool { isResizedOnLoad || self == .tinyImageNet }

  /// The files of a split, for datasets with one file for each picture; nil for others.
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

  /// How many examples the user's folder has, and which classes.
  ///
  /// - Throws: `DatasetError`.
  public func survey(_ folder: URL) throws -> (train: Int, test: Int, classNames: [String]) {
    guard let train = try listing(.train, in: folder), let test = try listing(.test, in: folder) else {
      return (count(.train) ?? 0, count(.test) ?? 0, classNames)
    }
    return (train.entries.count, test.entries.count, train.classNames)
  }
}
