import Foundation
import Studies
import Support

/// A merge of a finished run with its gain: a point of the figures over training.
struct MergePoint {
  var configuration: Configuration
  var seed: Int
  var row: ResultRow
  var gain: Double

  /// "0+1".
  var endpoints: Table.Cell { .text(row.endpoints.map(String.init).joined(separator: "+")) }
}

extension Analysis {
  /// More configurations than this do not fit side by side with their names.
  static let mostBoxes = 8

  /// The chosen merges at every trunk checkpoint.
  func mergePoints(_ measure: Measure) -> [MergePoint] {
    finished.flatMap { configuration in
      configuration.finished.flatMap { run in
        selection.merges(run).compactMap { row in
          measure.gain(row).map { MergePoint(configuration: configuration, seed: run.seed, row: row, gain: $0) }
        }
      }
    }
  }

  /// What `mergePoints` are, for captions.
  var mergePointsText: String { "(\(selection.words)) at every trunk checkpoint and for every seed" }
}

/// Points in rows, a row for each configuration.
enum ConfigurationRows {
  /// The pixels that a row takes.
  static let height = 30

  /// The rows, in the order given from the bottom up.
  static func axis(_ configurations: [Configuration]) -> JSON {
    [
      "field": "configuration", "type": "nominal", "title": nil,
      "sort": JSON(Array(configurations.map(\.label).reversed())), "axis": ["grid": true],
    ]
  }

  /// How far a point is moved within its row: by a fixed pattern, so that the same report gives the same picture.
  static func jitter(_ index: Int) -> Table.Cell {
    .number((Double(index) * 0.618_033_988_75).truncatingRemainder(dividingBy: 1))
  }

  static let offset: JSON = [
    "field": "_jitter", "type": "quantitative", "scale": ["domain": [-0.35, 1.35]], "axis": nil,
  ]

  static func color(_ epochs: some Sequence<Double>, rows: Int) -> JSON {
    let epochs = Set(epochs).sorted()
    guard epochs.count > 1 else { return ["value": Palette.blue] }
    let ticks: JSON = epochs.count <= 6 ? ["values": JSON(epochs)] : ["tickCount": 5]
    return [
      "field": "epoch", "type": "quantitative", "title": "trunk epoch", "scale": ["scheme": "viridis"],
      "legend": ticks.merging(["gradientLength": .number(min(130, max(40, height * rows)))]),
    ]
  }
}

/// Boxes of quartiles, with a red median and whiskers over all points.
func boxes(size: Int, opacity: Double, median: Double) -> [String: JSON] {
  [
    "extent": "min-max", "size": .number(size), "color": Palette.grey, "opacity": .number(opacity),
    "median": ["color": Palette.red, "opacity": 1, "strokeWidth": .number(median)],
  ]
}
