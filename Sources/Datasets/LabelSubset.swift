import Support

extension ImageDataset {
  /// The examples of some classes, in their order, with new labels: `kept[i]` becomes i.
  ///
  /// - Throws: `DatasetError` for a label that does not exist or is named twice, or when no example is left.
  public func keeping(labels kept: [Int]) throws -> ImageDataset {
    let places = try renumbering(kept, classes: classNames.count, of: "\(name) \(split)")
    let examples = labels.indices.filter { places[labels[$0]] != nil }
    guard !examples.isEmpty else {
      throw DatasetError(
        "\(name) \(split) has no examples with the labels \(kept.map(String.init).joined(separator: ", "))")
    }
    var chosen: [UInt8] = []
    chosen.reserveCapacity(examples.count * exampleSize)
    for example in examples { chosen += pixels[(example * exampleSize)..<((example + 1) * exampleSize)] }
    return try ImageDataset(
      name: name, split: split, classNames: kept.map { classNames[$0] }, channels: channels, height: height,
      width: width, pixels: chosen, labels: examples.compactMap { places[labels[$0]] })
  }

  /// The pictures with independent Gaussian noise added to every sample and clipped to its range: a shifted
  /// distribution to test on. The noise of example i depends only on (`seed`, i).
  ///
  /// - Parameters:
  ///   - noise: the standard deviation, where 1 is the whole range of a sample
  ///   - seed: what the noise depends on
  public func withNoise(_ noise: Double, seed: Int) throws -> ImageDataset {
    var changed = pixels
    for example in 0..<count {
      var random = SplitMix64(UInt64(bitPattern: Int64(seed)), 0xC0227, UInt64(example))
      for sample in (example * exampleSize)..<((example + 1) * exampleSize) {
        // Twelve uniform numbers, summed, less 6: mean 0, variance 1, and unlike logarithms the same bits on every
        // machine.
        var normal: Float = -6
        for _ in 0..<12 { normal += random.uniform() }
        changed[sample] = UInt8(min(255, max(0, (Float(pixels[sample]) + Float(255 * noise) * normal).rounded())))
      }
    }
    return try ImageDataset(
      name: name, split: split, classNames: classNames, channels: channels, height: height, width: width,
      pixels: changed, labels: labels)
  }
}

/// The new number of each old label: `kept[i]` becomes i, and nil is left out.
func renumbering(_ kept: [Int], classes: Int, of name: String) throws -> [Int?] {
  var places = [Int?](repeating: nil, count: classes)
  for (place, label) in kept.enumerated() {
    guard (0..<classes).contains(label) else {
      throw DatasetError("\(name) has no label \(label)", remedy: "name labels from 0 to \(classes - 1)")
    }
    guard places[label] == nil else { throw DatasetError("\(name): label \(label) is named twice") }
    places[label] = place
  }
  return places
}
