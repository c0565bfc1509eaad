import Support
import Torch

/// Pictures of any size as networks take them: several threads resize and normalise them whenever a batch is asked for.
///
/// Without augmentation an example follows torchvision's recipe for evaluation: the shorter side is resized to
/// `resize`, antialiased, and a square of `size` is cut from the middle.
public struct PictureDataset: ExampleSource {
  /// The pictures, as they were decoded.
  public let pictures: PictureStore
  /// The height and width of pictures in a batch, in pixels.
  public let size: Int
  /// The shorter side before the middle is cut out, in pixels.
  public let resize: Int
  /// How pictures are resized.
  public let interpolation: Interpolation
  /// Where batches are.
  public let device: Device
  /// How many threads make a batch.
  public let threads: Int
  /// The number of examples.
  public var count: Int { pictures.count }
  /// The number of colour channels, 1 or 3.
  public var channels: Int { pictures.channels }
  /// The number of classes.
  public var classes: Int { pictures.classNames.count }
  /// By channel: a sample becomes byte · scale + offset.
  private let scale: [Float]
  private let offset: [Float]

  /// Pictures, and how a network takes them.
  ///
  /// - Parameters:
  ///   - pictures: the pictures
  ///   - size: the height and width of pictures in a batch, 1 … 4096 pixels
  ///   - resize: the shorter side before the middle is cut out, `size` … 8192 pixels; nil: `size`
  ///   - interpolation: how pictures are resized
  ///   - statistics: what pictures are normalised by: those of the training split, or of a network's pretraining
  ///   - device: where batches are
  ///   - threads: how many threads make a batch; nil: as many as libtorch uses
  /// - Throws: `DatasetError` when the statistics have another number of channels, or a size is out of range.
  public init(
    _ pictures: PictureStore, size: Int, resize: Int? = nil, interpolation: Interpolation = .bilinear,
    normalisedBy statistics: ChannelStatistics, on device: Device = .cpu, threads: Int? = nil
  ) throws {
    guard statistics.mean.count == pictures.channels, statistics.standardDeviation.count == pictures.channels else {
      throw DatasetError(
        "\(pictures.name): statistics of \(statistics.mean.count) channels for pictures of \(pictures.channels)",
        remedy: "normalise by the dataset's own")
    }
    let resize = resize ?? size
    guard (1...4096).contains(size), (size...8192).contains(resize) else {
      throw DatasetError(
        "\(pictures.name): a size of \(size) cut from pictures resized to \(resize)",
        remedy: "choose a size of 1 to 4096 pixels, and resize to that or more, at most 8192")
    }
    (self.pictures, self.size, self.resize, self.interpolation) = (pictures, size, resize, interpolation)
    self.device = device
    self.threads = max(1, threads ?? Libtorch.threads)
    scale = statistics.standardDeviation.map { Float(1 / (255 * $0)) }
    offset = zip(statistics.mean, statistics.standardDeviation).map { Float(-$0 / $1) }
  }

  /// The examples of a range in order, without augmentation.
  public func batch(_ range: Range<Int>) throws -> ExampleBatch {
    try batch(examples: Array(range)) { _, example in middle(of: example) }
  }

  /// The examples with these indices, each resized as `resampler` says for its place in the batch and its index.
  func batch(
    examples: [Int], _ resampler: @Sendable (_ place: Int, _ example: Int) -> PictureResampler
  ) throws -> ExampleBatch {
    let numbers = size * size * channels
    let inputs = try Tensor.empty([examples.count, size, size, channels])
    try inputs.withUnsafeBytes { bytes in
      // Nobody else has the tensor until it is returned.
      nonisolated(unsafe) let memory = UnsafeMutableRawBufferPointer(mutating: bytes).bindMemory(to: Float.self)
      try inParallel(examples.count, threads: threads, worker: { [Float]() }) { scratch, place in
        let example = examples[place]
        let resampler = resampler(place, example)
        pictures.withPixels(example) { source in
          resampler.run(
            source, width: pictures.size(example).width, channels: channels, scratch: &scratch, scale: scale,
            offset: offset,
            to: UnsafeMutableBufferPointer(rebasing: memory[(place * numbers)..<((place + 1) * numbers)]))
        }
      }
    }
    let labels = try Tensor(examples.map { pictures.labels[$0] })
    return ExampleBatch(inputs: try inputs.to(device).permute([0, 3, 1, 2]), labels: try labels.to(device))
  }

  /// The square in the middle of the picture resized to `resize`.
  func middle(of example: Int, isMirrored: Bool = false) -> PictureResampler {
    let (height, width) = pictures.size(example)
    // torchvision rounds the longer side down, and the place of the square to the nearest pixel, halves to even.
    let newHeight = height <= width ? resize : max(resize, resize * height / width)
    let newWidth = height <= width ? max(resize, resize * width / height) : resize
    func start(_ length: Int) -> Int { Int((Double(length - size) / 2).rounded(.toNearestOrEven)) }
    let (top, left) = (start(newHeight), start(newWidth))
    return PictureResampler(
      rows: ResamplingAxis(from: 0, old: height, to: newHeight, wanted: top..<(top + size), by: interpolation),
      columns: ResamplingAxis(
        from: 0, old: width, to: newWidth, wanted: left..<(left + size), by: interpolation,
        isMirrored: isMirrored),
      clamps: interpolation == .bicubic)
  }

  /// A part of a picture, resized to `size`, perhaps mirrored.
  func part(_ box: PictureBox, isMirrored: Bool) -> PictureResampler {
    PictureResampler(
      rows: ResamplingAxis(from: box.top, old: box.height, to: size, wanted: 0..<size, by: interpolation),
      columns: ResamplingAxis(
        from: box.left, old: box.width, to: size, wanted: 0..<size, by: interpolation, isMirrored: isMirrored),
      clamps: interpolation == .bicubic)
  }
}
