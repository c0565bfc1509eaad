import Landscape
import Studies
import Support

/// Loss and accuracy along paths between weights, a line for each (the paper's Figure 24, with a line for each branch
/// point).
public struct PathFigure: Figure {
  /// One line: a path, or the mean over several of one kind.
  public struct Curve: Sendable {
    /// Its name in the legend.
    public var series: String
    /// Over the same positions.
    public var measures: [PathMeasure]

    /// A line from one path or several.
    public init(series: String, measures: [PathMeasure]) { (self.series, self.measures) = (series, measures) }
  }

  public let name, title, caption: String
  /// A row for each point of each path, or for each mean: losses in nats, accuracies as fractions.
  public let table: Table
  private let panels: [Part]
  private let series: [String]
  private let quantity: String
  private let isOrdered: Bool

  private struct Part {
    var title, valueTitle: String
    /// Of each series.
    var lines: [[(position: Double, value: Estimate)]]
    var domain: [Double]
  }

  /// A panel for each loss and accuracy that was measured.
  ///
  /// - Parameters:
  ///   - name: of its files, without extension
  ///   - quantity: what tells the curves apart, above the legend: "branch epoch"
  ///   - isOrdered: whether the curves are in an order, and so get a sequence of colours
  ///   - setting: network, data and what was done about BatchNorm
  public init(
    name: String = "path", title: String = "Loss and accuracy along the path", curves: [Curve], quantity: String = "",
    isOrdered: Bool = false, setting: String
  ) {
    let repeats = curves.map(\.measures.count).max() ?? 1
    (self.name, self.title, self.quantity, self.isOrdered) = (name, title, quantity, isOrdered)
    caption =
      "Along θ(λ) from the first (λ = 0) to the second network (λ = 1)"
      + (repeats > 1 ? "; lines are means over \(repeats) pairs, bands 95 % confidence intervals (Student-t)" : "")
      + ". \(Self.chords) \(setting)."
    table = Table(
      columns: [
        "series", "pair", "lambda", "train_loss_nats", "test_loss_nats", "train_accuracy", "test_accuracy",
      ],
      rows: curves.flatMap { curve in
        curve.measures.enumerated().flatMap { index, measure in
          zip(measure.positions, measure.points).map { position, point in
            [
              .text(curve.series), .number(index), .number(position), .number(point.train?.loss),
              .number(point.test?.loss),
              .number(point.train?.accuracy), .number(point.test?.accuracy),
            ]
          }
        }
      })
    series = curves.map(\.series)
    panels = [PointValue.trainLoss, .testLoss, .trainAccuracy, .testAccuracy].compactMap { value in
      let lines = curves.map { Self.means($0, value) }
      guard lines.contains(where: { !$0.isEmpty }) else { return nil }
      return Part(
        title: value.title, valueTitle: value.title, lines: lines,
        domain: estimatesDomain(lines.joined().map(\.value)))
    }
  }

  /// The loss between endpoints on a study's training set and on its test set, a panel for each way of matching them.
  public static func figures(of analysis: Analysis) -> [PathFigure] {
    guard let landscapes = analysis.landscapes, !landscapes.alignments.isEmpty else { return [] }
    return [
      PathFigure(analysis, landscapes, split: "training", loss: \.trainLoss),
      PathFigure(analysis, landscapes, split: "test", loss: \.testLoss),
    ]
  }

  private init(
    _ analysis: Analysis, _ landscapes: Landscapes, split: String, loss: (LandscapeRow.Path) -> [Double]
  ) {
    let titles = landscapes.alignments.map(Landscapes.title)
    let curves = landscapes.alignments.map { alignment in
      landscapes.settings.map { landscapes.path($0, alignment, loss) }
    }
    let estimates = curves.joined().joined().map(\.value)
    (series, quantity, isOrdered) = (landscapes.series, landscapes.quantity, true)
    (name, title) = ("\(split)-loss-between-endpoints", "\(split.capitalized) loss between endpoints")
    caption =
      "Mean cross-entropy on the \(split) set along the straight line θ(λ) = (1 − λ) A + λ B between two endpoints of "
      + "the last branch point, without augmentation; mean over pairs. \(Self.chords) \(analysis.batchNormText)"
      + "\(analysis.subjectText)." + intervalWords(estimates, cutOff, mark: "Bands")
    table = Table(
      columns: ["alignment", "series", "lambda", "loss_nats", "lower", "upper", "runs"],
      rows: zip(titles, curves).flatMap { title, lines in
        zip(landscapes.series, lines).flatMap { series, points in
          points.map { [.text(title), .text(series), .number($0.position)] + $0.value.cells }
        }
      })
    let domain = estimatesDomain(estimates)
    panels = zip(titles, curves).map { title, lines in
      Part(title: title, valueTitle: "\(split) loss, nats", lines: lines, domain: domain)
    }
  }

  private static let chords =
    "Dashed: the straight line between the values at the ends; loss above it is a barrier, loss below it a valley."

  /// The mean over the measures of a curve at each position, with a 95 % interval where there are several.
  private static func means(_ curve: Curve, _ value: PointValue) -> [(position: Double, value: Estimate)] {
    let positions = curve.measures.first?.positions ?? []
    return positions.indices.compactMap { index in
      let values = curve.measures.compactMap { measure in
        measure.points.indices.contains(index) ? value.value(measure.points[index]) : nil
      }
      return Estimate(overSeeds: values).map { (positions[index], $0) }
    }
  }

  /// How Vega-Lite draws it.
  public var spec: Spec {
    // One legend serves all panels.
    let last = min(1, panels.count - 1)
    return Spec(panels: panels.enumerated().map { panel($0.element, hasLegend: $0.offset == last) }, columns: 2)
  }

  private func panel(_ part: Part, hasLegend: Bool) -> Panel {
    func rows(_ points: [(position: Double, value: Estimate)], _ name: String) -> [JSON] {
      points.map { JSON($0.value.fields).merging(["series": .text(name), "lambda": .number($0.position)]) }
    }
    let lines = zip(series, part.lines)
    let chords = lines.flatMap { name, points -> [JSON] in
      guard let first = points.first, let last = points.last else { return [] }
      return [first, last].map {
        ["series": .text(name), "lambda": .number($0.position), "value": .number($0.value.value)]
      }
    }
    let marks = Marks(
      x: Channel.numbers("lambda", "λ", ["domain": [0, 1], "nice": false], format: nil, ticks: 5),
      y: Channel.numbers("value", part.valueTitle, Channel.range(part.domain)),
      Palette.encoding(
        series, title: quantity, isOrdered: isOrdered,
        legend: hasLegend ? .with(["labelLimit": 340]) : .hidden))
    let hasIntervals = part.lines.joined().contains { $0.value.lower != nil }
    let tooltip: [JSON] =
      [
        ["field": "series", "title": .text(quantity.isEmpty ? "path" : quantity)],
        Channel.told("lambda", "λ", ".3~f"), Channel.told("value", part.valueTitle, ".5~g"),
      ] + (hasIntervals ? Channel.interval(".5~g") : [])
    return Panel(
      part.title, width: 300, height: 220, rows: lines.flatMap { rows($1, $0) },
      layers: [
        marks.intervals(["opacity": 0.15, "clip": true], as: "area"),
        marks.line(["strokeWidth": 1.2, "strokeDash": [4, 3], "opacity": 0.6, "clip": true], rows: chords),
        marks.line(["strokeWidth": 2, "clip": true]),
        marks.points(22, ["opacity": 1, "clip": true], ["tooltip": JSON(tooltip)]),
      ])
  }
}
