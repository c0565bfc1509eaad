import Foundation
import Support

/// Folders of pictures, one for each class: `train/cat/1.jpg` beside `test/` or `val/`, or `cat/1.jpg`, which we split
/// ourselves.
enum ImageFolder {
  /// How many of ten examples of each class are for training in a folder without splits.
  static let trainingTenths = 8

  static func list(name: String, _ split: Split, in folder: URL) throws -> PictureListing {
    guard PictureListing.isFolder(folder) else {
      throw DatasetError(
        file: folder.path, "no such folder",
        remedy: "give the folder that has a folder of pictures for each class, or train/ and test/ (or val/) with them")
    }
    let train = folder.appendingPathComponent("train")
    guard PictureListing.isFolder(train) else {
      return try part(of: whole(name: name, split, in: folder), tenths: (trainingTenths, 10 - trainingTenths))
    }
    // The training folder decides which classes there are and how they are numbered.
    let classes = try PictureListing.classes(in: train)
    if split == .train { return try whole(name: name, split, classes: classes, in: train) }
    for other in ["test", "val", "valid", "validation"] {
      let place = folder.appendingPathComponent(other)
      guard PictureListing.isFolder(place) else { continue }
      let found = try PictureListing.classes(in: place)
      if let unknown = found.first(where: { !classes.contains($0) }) {
        throw DatasetError(
          file: place.path, "has the class '\(unknown)', which \(train.path) does not have",
          remedy: "give both the same folders")
      }
      return try whole(name: name, split, classes: classes, in: place)
    }
    throw DatasetError(
      file: folder.path, "has train/ but neither test/ nor val/", remedy: "add one, or move train/'s folders up")
  }

  /// All pictures below a folder, class by class.
  static func whole(name: String, _ split: Split, classes: [String]? = nil, in folder: URL) throws -> PictureListing {
    let classes = try classes ?? PictureListing.classes(in: folder)
    guard !classes.isEmpty else {
      throw DatasetError(
        file: folder.path, "has no folders, where one for each class was expected",
        remedy: "name the folder around those of the classes")
    }
    let present = classes.enumerated().filter { PictureListing.isFolder(folder.appendingPathComponent($1)) }
    return try PictureListing(
      name: name, split: split, classNames: classes, root: folder,
      entries: present.flatMap { label, name in
        try PictureListing.pictures(in: name, of: folder).map { .init(path: $0, label: label) }
      })
  }

  /// The part of each class that belongs to the listing's split: the first `tenths.train` tenths of a random order with
  /// a fixed seed, or the last `tenths.test`.
  static func part(of listing: PictureListing, tenths: (train: Int, test: Int)) throws -> PictureListing {
    var random = SplitMix64(0x5B117)
    var result = listing
    result.entries = []
    for label in listing.classNames.indices {
      let entries = listing.entries.filter { $0.label == label }
      let order = shuffled(entries.count, by: &random)
      let count = entries.count * (listing.split == .train ? tenths.train : tenths.test) / 10
      let chosen = listing.split == .train ? order.prefix(count) : order.suffix(count)
      result.entries += chosen.sorted().map { entries[$0] }
    }
    guard !result.entries.isEmpty else {
      throw DatasetError(
        file: listing.root.path, "has too few pictures to split", remedy: "give every class at least 10")
    }
    return result
  }
}
