import Torch

/// Small pictures of one size on a device, one byte for each sample. A few tensor operations make a batch.
public struct DeviceDataset: ExampleSource {
  /// The number of examples.
  public let count: Int
  /// The number of colour channels, 1 or 3.
  public let channels: Int
  /// Pixels from top to bottom.
  public let height: Int
  /// Pixels from left to right.
  public let width: Int
  /// The number of classes.
  public let classes: Int
  /// Where the pictures are, and where batches are made.
  public let device: Device
  /// [count, height · width · channels] uint8: channels innermost, so that a batch has the layout convolutions prefer.
  private let pictures: Tensor
  /// [count] int64
  private let labels: Tensor
  /// [width · channels] float32: 255 · mean, and 1 / (255 · standard deviation), for one row of pixels.
  private let offset: Tensor
  private let scale: Tensor

  /// Copies a dataset to a device.
  ///
  /// - Parameters:
  ///   - dataset: the pictures
  ///   - statistics: what batches are normalised by: those of the training split, whichever split this is
  ///   - device: where to
  /// - Throws: `DatasetError` when the statistics have another number of channels, `TorchError` for lack of memory.
  public init(_ dataset: ImageDataset, normalisedBy statistics: ChannelStatistics, on device: Device = .cpu) throws {
    guard statistics.mean.count == dataset.channels, statistics.standardDeviation.count == dataset.channels else {
      throw DatasetError(
        "\(dataset.name): statistics of \(statistics.mean.count) channels for pictures of \(dataset.channels)",
        remedy: "take them from the training split of the same dataset")
    }
    count = dataset.count
    (channels, height, width) = (dataset.channels, dataset.height, dataset.width)
    classes = dataset.classNames.count
    self.device = device
    pictures = try Tensor(dataset.pixels, shape: [count, channels, height, width]).to(device)
      .permute([0, 2, 3, 1]).contiguous().view([count, -1])
    labels = try Tensor(dataset.labels).to(device)
    func row(_ values: [Double]) throws -> Tensor {
      try Tensor((0..<(dataset.width * dataset.channels)).map { Float(values[$0 % values.count]) }).to(device)
    }
    offset = try row(statistics.mean.map { 255 * $0 })
    scale = try row(statistics.standardDeviation.map { 1 / (255 * $0) })
  }

  private init(_ other: DeviceDataset, pictures: Tensor) {
    count = other.count
    (channels, height, width) = (other.channels, other.height, other.width)
    classes = other.classes
    device = other.device
    self.pictures = pictures
    labels = other.labels
    offset = other.offset
    scale = other.scale
  }

  /// This dataset with the mirror image of picture i as picture count + i. A batch then mirrors a picture by choosing
  /// another index, which is free. Mirroring the batch itself would take longer than everything else together.
  func withMirrorImages() throws -> DeviceDataset {
    let mirrored = try pictures.view([count, height, width, channels]).flip([2]).view([count, -1])
    return DeviceDataset(self, pictures: try Tensor.concatenate([pictures, mirrored]))
  }

  /// The examples of a range in order, unchanged but for normalisation.
  public func batch(_ range: Range<Int>) throws -> ExampleBatch {
    ExampleBatch(inputs: try normalised(pictures[range]), labels: try labels[range])
  }

  /// The examples with these indices, each padded with `crop.margin` black pixels on every side and cut back to its
  /// size at its own place.
  func batch(examples: [Int], mirrored: [Bool]?, crop: (margin: Int, top: [Int], left: [Int])?) throws -> ExampleBatch {
    let wanted = try Tensor(examples).to(device)
    var rows = wanted
    if let mirrored {
      rows = try Tensor(zip(examples, mirrored).map { $0 + ($1 ? count : 0) }).to(device)
    }
    var bytes = try pictures.indexSelect(0, rows)
    if let crop {
      // Every row of pixels of a cropped picture is one run of bytes in the padded batch. `runs` is a view of all such
      // runs, which overlap.
      let padded = try bytes.view([examples.count, height, width, channels])
        .pad([0, 0, crop.margin, crop.margin, crop.margin, crop.margin])
      let (paddedHeight, paddedWidth) = (height + 2 * crop.margin, width + 2 * crop.margin)
      let corners = examples.indices.map { ($0 * paddedHeight + crop.top[$0]) * paddedWidth + crop.left[$0] }
      let starts =
        try Tensor(corners, shape: [examples.count, 1]).to(device)
        + Tensor.range(from: 0, to: height * paddedWidth, by: paddedWidth, device: device)
      let positions = examples.count * paddedHeight * paddedWidth - width + 1
      let runs: Tensor = try call(
        "aten::as_strided", padded, [positions, width * channels], [channels, 1], Int?.none)
      bytes = try runs.indexSelect(0, starts.view([-1]))
    }
    return ExampleBatch(inputs: try normalised(bytes), labels: try labels.indexSelect(0, wanted))
  }

  private func normalised(_ bytes: Tensor) throws -> Tensor {
    let values = try bytes.view([-1, width * channels]).to(.float32)
    try values.subtractInPlace(offset).multiplyInPlace(scale)
    return try values.view([-1, height, width, channels]).permute([0, 3, 1, 2])
  }
}
