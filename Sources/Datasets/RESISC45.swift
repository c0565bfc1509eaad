import Foundation

/// NWPU-RESISC45: 700 aerial pictures of 256 × 256 pixels for each of 45 classes, with a folder for each class.
/// Publications use the split in `resisc45-train.txt`, `-val.txt` and `-test.txt`, which hold one file name in each
/// line. Cheng, Han and Lu 2017.
enum RESISC45 {
  static let classNames = """
    airplane airport baseball_diamond basketball_court beach bridge chaparral church circular_farmland cloud
    commercial_area dense_residential desert forest freeway golf_course ground_track_field harbor industrial_area
    intersection island lake meadow medium_residential mobile_home_park mountain overpass palace parking_lot railway
    railway_station rectangular_farmland river roundabout runway sea_ice ship snowberg sparse_residential stadium
    storage_tank tennis_court terrace thermal_power_station wetland
    """.split(whereSeparator: \.isWhitespace).map(String.init)

  static func list(_ split: Split, in folder: URL) throws -> PictureListing {
    let place =
      ["NWPU-RESISC45", "NWPU-RESISC45/resisc45", "resisc45"].map { folder.appendingPathComponent($0) }
      .last { PictureListing.isFolder($0.appendingPathComponent(classNames[0])) } ?? folder
    let found = PictureListing.isFolder(place) ? try PictureListing.classes(in: place) : []
    if let missing = classNames.first(where: { !found.contains($0) }) {
      throw DatasetError(
        file: place.path, "has no folder '\(missing)'",
        remedy: "download NWPU-RESISC45 from https://gcheng-nwpu.github.io and name the folder around its 45 folders")
    }
    let file = folder.appendingPathComponent("resisc45-\(split.rawValue).txt")
    guard FileManager.default.fileExists(atPath: file.path) else {
      // As many as in the published split, but not the same pictures.
      let all = try ImageFolder.whole(name: "resisc45", split, classes: classNames, in: place)
      return try ImageFolder.part(of: all, tenths: (train: 6, test: 2))
    }
    let text = String(decoding: try FileBytes.read(file, atMost: 8 << 20, from: "resisc45"), as: UTF8.self)
    let labels = Dictionary(uniqueKeysWithValues: classNames.enumerated().map { ($1, $0) })
    let entries = try text.split(whereSeparator: \.isNewline).enumerated().map { line, name in
      let name = name.trimmingCharacters(in: .whitespaces)
      // "sea_ice_042.jpg"
      guard let end = name.lastIndex(of: "_"), let label = labels[String(name[..<end])], !name.contains("/") else {
        throw DatasetError(
          file: file.path, "line \(line + 1) is '\(name)', not a picture's name such as sea_ice_042.jpg",
          remedy: "get the list again, or delete the lists, and Valley splits the pictures itself")
      }
      return PictureListing.Entry(path: classNames[label] + "/" + name, label: label)
    }
    return try PictureListing(name: "resisc45", split: split, classNames: classNames, root: place, entries: entries)
  }
}
