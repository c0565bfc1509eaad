import Foundation
import Studies

/// What was measured of the loss around and between endpoints, by configuration (the paper's Figures 24 to 27,
/// re-basin, CKA).
struct Landscapes: Sendable {
  /// The measurements of one configuration's finished runs at their last measured branch point: one row for each run.
  struct Setting: Sendable {
    var configuration: Configuration
    var series: String
    var rows: [LandscapeRow]
  }

  /// In the order of the swept values.
  let settings: [Setting]
  let lines: Lines

  /// Nil where no run has a measurement.
  init?(_ lines: Lines) {
    self.lines = lines
    settings = lines.ordered(by: lines.axes).compactMap { configuration in
      let rows = configuration.finished.compactMap(\.landscapes.last)
      return rows.isEmpty
        ? nil : Setting(configuration: configuration, series: lines.series(configuration), rows: rows)
    }
    if settings.isEmpty { return nil }
  }

  /// What tells the series apart, such as "learning rate".
  var quantity: String { lines.axes.title }
  var series: [String] { settings.map(\.series) }

  /// How the endpoints of paths were aligned, in the order measured: nil for endpoints as they were trained.
  var alignments: [String?] { settings.flatMap(\.rows).flatMap(\.paths).map(\.alignment).distinct() }

  static func title(_ alignment: String?) -> String {
    alignment.map { "after \($0) matching" } ?? "as trained"
  }

  /// The mean loss (nats) at each position λ between two endpoints.
  func path(
    _ setting: Setting, _ alignment: String?, _ loss: (LandscapeRow.Path) -> [Double]
  ) -> [(position: Double, value: Estimate)] {
    let positions = setting.rows.first?.paths.first { $0.alignment == alignment }?.positions ?? []
    return positions.indices.compactMap { place in
      Estimate(
        samples: setting.rows.map { row in
          row.paths.filter { $0.alignment == alignment && $0.positions.count == positions.count }.map {
            .init(endpoints: $0.endpoints, value: loss($0)[place])
          }
        }
      ).map { (positions[place], $0) }
    }
  }

  /// The loss (nats) midway along the path minus the mean at its ends: above 0 on a hill, below 0 in a valley.
  func middles(_ setting: Setting, _ alignment: String?, _ loss: (LandscapeRow.Path) -> [Double]) -> Estimate? {
    Estimate(
      samples: setting.rows.map { row in
        row.paths.filter { $0.alignment == alignment }.compactMap { path in
          middle(loss(path)).map { Estimate.Sample(endpoints: path.endpoints, value: $0) }
        }
      })
  }

  private func middle(_ losses: [Double]) -> Double? {
    guard let first = losses.first, let last = losses.last, losses.count > 2 else { return nil }
    let place = Double(losses.count - 1) / 2
    let value = (losses[Int(place.rounded(.down))] + losses[Int(place.rounded(.up))]) / 2
    return value - (first + last) / 2
  }

  /// One sentence on each kind of measurement.
  var sentences: [String] {
    var texts = alignments.compactMap { alignment -> String? in
      let found = settings.compactMap { setting in middles(setting, alignment, \.trainLoss).map { (setting.series, $0) }
      }
      guard !found.isEmpty else { return nil }
      let words = found.map { "\($0.0): \(signed($0.1.value, digits: 3))\(range($0.1))" }
      let crossing = zip(found, found.dropFirst()).first { $0.1.value > 0 && $1.1.value <= 0 }
      return
        "Training loss midway between endpoints \(Self.title(alignment)), minus the mean of the endpoints' own (nats; "
        + "above 0 a hill, below a valley)\(quantity.isEmpty ? "" : ", by \(quantity)"): "
        + "\(words.joined(separator: "; "))."
        + (crossing.map { " The hill turns into a valley between \($0.0) and \($1.0)." } ?? "")
    }
    let tops = settings.compactMap { setting in top(setting).map { "\(setting.series): \(short($0.value))\(range($0))" }
    }
    if !tops.isEmpty {
      let open = settings.flatMap(\.rows).flatMap(\.spectra).filter { !$0.isConverged }.count
      texts.append(
        "Largest eigenvalue of the Hessian of the training loss: \(tops.joined(separator: "; "))."
          + (open > 0 ? " \(counted(open, "measurement")) had not converged; the residuals are in the table." : ""))
    }
    let similar = settings.compactMap { setting in
      similarity(setting).map { "\(setting.series): \(String(format: "%.3f", $0.value))\(range($0))" }
    }
    if !similar.isEmpty { texts.append("Linear CKA of penultimate activations: \(similar.joined(separator: "; ")).") }
    return texts
  }

  func top(_ setting: Setting) -> Estimate? {
    Estimate(overSeeds: setting.rows.compactMap { $0.spectra.first?.eigenvalues.first })
  }

  func similarity(_ setting: Setting) -> Estimate? {
    Estimate(samples: setting.rows.map { $0.similarities.map { .init(endpoints: $0.endpoints, value: $0.cka) } })
  }

  private func range(_ estimate: Estimate) -> String {
    guard let lower = estimate.lower, let upper = estimate.upper else { return "" }
    return " (\(short(lower, digits: 3)) to \(short(upper, digits: 3)))"
  }
}
