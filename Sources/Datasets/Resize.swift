extension ImageDataset {
  /// The pictures shrunk to `size` × `size` pixels, each of which is the mean of the area it covers, with halves
  /// rounded up.
  ///
  /// This is exact for any ratio: a pixel that two new ones share is divided between them. For a whole ratio it is
  /// Pillow's `Image.reduce` except for the last bit of Pillow's fixed-point division.
  ///
  /// - Throws: `DatasetError` when `size` is not between 1 and the smaller side of the pictures.
  public func resized(to size: Int) throws -> ImageDataset {
    guard size >= 1, size <= min(height, width) else {
      throw DatasetError(
        "\(name): pictures of \(height) × \(width) cannot be shrunk to \(size) × \(size)",
        remedy: "choose a size from 1 to \(min(height, width))")
    }
    if size == height, size == width { return self }
    let rows = Overlap.all(from: height, to: size)
    let columns = Overlap.all(from: width, to: size)
    let total = height * width
    var result = [UInt8](repeating: 0, count: count * channels * size * size)
    var line = [Int](repeating: 0, count: width)
    pixels.withUnsafeBufferPointer { source in
      result.withUnsafeMutableBufferPointer { result in
        line.withUnsafeMutableBufferPointer { line in
          for plane in 0..<(count * channels) {
            for (y, row) in rows.enumerated() {
              // First the sum of the rows, each weighted by how much of it the new pixel covers.
              for x in 0..<width { line[x] = 0 }
              for (k, weight) in row.weights.enumerated() {
                let start = (plane * height + row.first + k) * width
                for x in 0..<width { line[x] += weight * Int(source[start + x]) }
              }
              for (x, column) in columns.enumerated() {
                var sum = 0
                for (k, weight) in column.weights.enumerated() { sum += weight * line[column.first + k] }
                result[(plane * size + y) * size + x] = UInt8((2 * sum + total) / (2 * total))
              }
            }
          }
        }
      }
    }
    return ImageDataset(
      trusted: name, split: split, classNames: classNames, channels: channels, height: size, width: size,
      pixels: result, labels: labels)
  }
}

/// The old pixels that one new pixel covers along one axis, with their shares, which sum to the old length.
private struct Overlap {
  var first: Int
  var weights: [Int]

  /// One for each new pixel. In units of 1 / (old · new), old pixel i spans i·new … (i+1)·new, and new pixel j spans
  /// j·old … (j+1)·old.
  static func all(from old: Int, to new: Int) -> [Overlap] {
    (0..<new).map { j in
      let first = j * old / new
      let last = ((j + 1) * old - 1) / new
      return Overlap(
        first: first, weights: (first...last).map { min(($0 + 1) * new, (j + 1) * old) - max($0 * new, j * old) })
    }
  }
}
