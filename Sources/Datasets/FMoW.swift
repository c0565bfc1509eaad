import Foundation

/// WILDS-FMoW: satellite pictures of 224 × 224 pixels, `images/rgb_img_<row>.png`, and `rgb_metadata.csv` with a row
/// for each. Koh et al. 2021, <https://wilds.stanford.edu/datasets/#fmow>
///
/// The official split is by time. Pictures from before 2013 are in distribution, those from 2013 to 2015 are for
/// validation out of distribution, and those from 2016 on are for the test out of distribution. Rows of the part `seq`
/// are not used.
enum FMoW {
  /// The official parts, each with its value in the column `split` and its years.
  enum Part: Sendable {
    case train, idValidation, idTest, oodValidation, oodTest

    var split: String {
      switch self {
      case .train: "train"
      case .idValidation, .oodValidation: "val"
      case .idTest, .oodTest: "test"
      }
    }

    var years: Range<Int> {
      switch self {
      case .train, .idValidation, .idTest: 0..<2013
      case .oodValidation: 2013..<2016
      case .oodTest: 2016..<10_000
      }
    }

    /// Pictures in the published version 1.1.
    var count: Int {
      switch self {
      case .train: 76_863
      case .idValidation: 11_483
      case .idTest: 11_327
      case .oodValidation: 19_915
      case .oodTest: 22_108
      }
    }
  }

  static let classNames = """
    airport airport_hangar airport_terminal amusement_park aquaculture archaeological_site barn border_checkpoint
    burial_site car_dealership construction_site crop_field dam debris_or_rubble educational_institution
    electric_substation factory_or_powerplant fire_station flooded_road fountain gas_station golf_course
    ground_transportation_station helipad hospital impoverished_settlement interchange lake_or_pond lighthouse
    military_facility multi-unit_residential nuclear_powerplant office_building oil_or_gas_facility park
    parking_lot_or_garage place_of_worship police_station port prison race_track railway_bridge recreational_facility
    road_bridge runway shipyard shopping_mall single-unit_residential smokestack solar_farm space_facility stadium
    storage_tank surface_mine swimming_pool toll_booth tower tunnel_opening waste_disposal water_treatment_facility
    wind_farm zoo
    """.split(whereSeparator: \.isWhitespace).map(String.init)

  static func list(_ part: Part, name: String, as split: Split, in folder: URL) throws -> PictureListing {
    let place =
      ["fmow_v1.1", "fmow_v1.0"].map { folder.appendingPathComponent($0) }.first { PictureListing.isFolder($0) }
      ?? folder
    let file = place.appendingPathComponent("rgb_metadata.csv")
    guard FileManager.default.fileExists(atPath: file.path) else {
      throw DatasetError(
        file: file.path, "no such file",
        remedy:
          "download FMoW (50 GB) with the wilds package or from https://wilds.stanford.edu/datasets/#fmow and name "
          + "the folder that has it")
    }
    let bytes = try FileBytes.read(file, atMost: 1 << 30, from: name)
    let columns = try bytes.withUnsafeBytes {
      try CSVFile.columns(["split", "timestamp", "category"], of: $0, file: file.path)
    }
    let labels = Dictionary(uniqueKeysWithValues: classNames.enumerated().map { ($1, $0) })
    var entries: [PictureListing.Entry] = []
    for row in columns[0].indices where columns[0][row] == part.split {
      // "2015-08-02T11:47:24Z", always in UTC, like the limits of the years.
      guard let year = Int(columns[1][row].prefix(4)), let label = labels[columns[2][row]] else {
        throw DatasetError(
          file: file.path, "row \(row + 2) has the time '\(columns[1][row])' and the category '\(columns[2][row])'",
          remedy: "it is damaged: get the file again")
      }
      if part.years.contains(year) { entries.append(.init(path: "images/rgb_img_\(row).png", label: label)) }
    }
    return try PictureListing(name: name, split: split, classNames: classNames, root: place, entries: entries)
  }
}
