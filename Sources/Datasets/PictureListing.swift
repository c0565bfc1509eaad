import Foundation
import Support

/// The pictures of a split, listed before any of them is read.
struct PictureListing: Sendable {
  /// One encoded picture.
  struct Entry: Hashable, Sendable {
    /// Its file, relative to `root`.
    var path: String
    /// Where it is in the file; nil: it is the whole file.
    var range: Range<Int>?
    var label: Int
  }

  /// The dataset's name, for messages.
  var name: String
  var split: Split
  var classNames: [String]
  var root: URL
  var entries: [Entry]

  /// - Throws: `DatasetError` when there are none.
  init(name: String, split: Split, classNames: [String], root: URL, entries: [Entry]) throws {
    guard !entries.isEmpty else {
      throw DatasetError(file: root.path, "no pictures of the \(split) split of \(name)")
    }
    (self.name, self.split, self.classNames, self.root, self.entries) = (name, split, classNames, root, entries)
  }

  /// `count` of the pictures, drawn with a fixed seed. Listings go class by class, so the first ones would be of one
  /// class.
  func sample(_ count: Int) throws -> PictureListing {
    guard (1...entries.count).contains(count) else {
      throw DatasetError(
        "\(name) \(split) has \(entries.count) examples, \(count) were asked for",
        remedy: "ask for 1 to \(entries.count)")
    }
    var random = SplitMix64(0x5A3B)
    var result = self
    result.entries = shuffled(entries.count, by: &random)[..<count].sorted().map { entries[$0] }
    return result
  }

  /// Only the pictures of these classes, which get new numbers in the order given.
  func keeping(_ labels: [Int]) throws -> PictureListing {
    let numbers = try renumbering(labels, classes: classNames.count, of: "\(name) \(split)")
    return try PictureListing(
      name: name, split: split, classNames: labels.map { classNames[$0] }, root: root,
      entries: entries.compactMap { entry in
        numbers[entry.label].map { Entry(path: entry.path, range: entry.range, label: $0) }
      })
  }

  // MARK: Folders

  /// The names that are read as pictures. Others are ignored.
  private static let extensions: Set<String> = ["jpg", "jpeg", "png"]

  static func isPicture(_ name: String) -> Bool {
    !name.hasPrefix(".") && extensions.contains((name as NSString).pathExtension.lowercased())
  }

  /// The names in a folder, in the order of their bytes, which is the same on every machine.
  static func names(in folder: URL) throws -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !$0.hasPrefix(".") }
        .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    } catch {
      throw DatasetError(
        file: folder.path, "cannot be listed: \(error.localizedDescription)", remedy: "name the folder of the pictures")
    }
  }

  static func isFolder(_ url: URL) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) && isFolder.boolValue
  }

  /// The classes: the folders in a folder.
  static func classes(in folder: URL) throws -> [String] {
    try names(in: folder).filter { isFolder(folder.appendingPathComponent($0)) }
  }

  /// The pictures in a class's folder and its subfolders, as paths relative to `root`.
  static func pictures(in path: String, of root: URL) throws -> [String] {
    let folder = path.isEmpty ? root : root.appendingPathComponent(path)
    return try names(in: folder).flatMap { name -> [String] in
      let inner = path.isEmpty ? name : path + "/" + name
      if isPicture(name) { return [inner] }
      return (name as NSString).pathExtension.isEmpty && isFolder(root.appendingPathComponent(inner))
        ? try pictures(in: inner, of: root) : []
    }
  }
}

/// 0 ..< `count` in a random order.
func shuffled(_ count: Int, by random: inout SplitMix64) -> [Int] {
  var order = Array(0..<count)
  order.withUnsafeMutableBufferPointer { order in
    for i in stride(from: order.count - 1, to: 0, by: -1) { order.swapAt(i, random.below(i + 1)) }
  }
  return order
}
