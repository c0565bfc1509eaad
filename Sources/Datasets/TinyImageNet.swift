import Foundation

/// TinyImageNet-200: pictures of 64 × 64, `train/<class>/images/*.JPEG`, and `val/images/*.JPEG` whose classes stand in
/// `val/val_annotations.txt`. Classes are numbered in the order of their WordNet names, as torchvision's `ImageFolder`
/// does. The test split of the archive has no labels; its validation split serves as ours.
/// <http://cs231n.stanford.edu/tiny-imagenet-200.zip>
enum TinyImageNet {
  static let folder = "tiny-imagenet-200"

  static func list(_ split: Split, in folder: URL) throws -> PictureListing {
    let inner = folder.appendingPathComponent(Self.folder)
    let place = PictureListing.isFolder(inner) ? inner : folder
    let train = place.appendingPathComponent("train")
    guard PictureListing.isFolder(train) else {
      throw DatasetError(
        file: place.path, "has no folder train",
        remedy: "run `valley data fetch tiny-imagenet` or name the folder that has \(Self.folder)")
    }
    let classes = try PictureListing.classes(in: train)
    let names = try words(in: place)
    let classNames = classes.map { names[$0] ?? $0 }
    if split == .train {
      return try PictureListing(
        name: "tiny-imagenet", split: split, classNames: classNames, root: train,
        entries: classes.enumerated().flatMap { label, name in
          try PictureListing.pictures(in: name, of: train).map { .init(path: $0, label: label) }
        })
    }
    let labels = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
    let val = place.appendingPathComponent("val")
    let file = val.appendingPathComponent("val_annotations.txt")
    let text = String(decoding: try FileBytes.read(file, atMost: 16 << 20, from: "tiny-imagenet"), as: UTF8.self)
    let entries = try text.split(whereSeparator: \.isNewline).enumerated().map { line, text in
      // "val_0.JPEG	n03444034	0	32	44	62": the picture, its class, a box
      let cells = text.split(separator: "\t")
      guard cells.count >= 2, !cells[0].contains("/"), let label = labels[String(cells[1])] else {
        throw DatasetError(
          file: file.path,
          "line \(line + 1) is '\(text.prefix(80))', not a picture and one of the \(classes.count) classes",
          remedy: "it is damaged: fetch it again")
      }
      return PictureListing.Entry(path: "images/" + cells[0], label: label)
    }
    return try PictureListing(name: "tiny-imagenet", split: split, classNames: classNames, root: val, entries: entries)
  }

  /// English names by WordNet name, from `words.txt`; none without that file.
  private static func words(in folder: URL) throws -> [String: String] {
    let file = folder.appendingPathComponent("words.txt")
    guard FileManager.default.fileExists(atPath: file.path) else { return [:] }
    let text = String(decoding: try FileBytes.read(file, atMost: 32 << 20, from: "tiny-imagenet"), as: UTF8.self)
    let pairs = text.split(whereSeparator: \.isNewline).map { $0.split(separator: "\t", maxSplits: 1).map(String.init) }
    return Dictionary(pairs.filter { $0.count == 2 }.map { ($0[0], $0[1]) }) { first, _ in first }
  }
}
