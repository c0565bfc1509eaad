import Foundation
import Support

extension StudyFolder {
  /// All that the study has found so far.
  public func results() throws -> StudyResults {
    let index = try StudyIndex(url)
    let states = try states(index)
    let runs = try states.map { state in
      let configuration = state.run.configuration
      let rows = try index.results(state.run.id)
      return RunResults(
        id: state.run.id, status: state.status, learningRate: configuration.optimizer.learningRate,
        batchSize: configuration.batchSize, momentum: configuration.optimizer.momentum,
        weightDecay: configuration.optimizer.weightDecay, seed: configuration.seeds.initialisation,
        noiseProxy: configuration.noiseProxy, optimizer: configuration.optimizer.name.rawValue,
        adamProxy: configuration.adamProxy, isLanguage: configuration.dataset.name.isText, settings: state.run.values,
        rows: rows,
        noise: try index.noise(state.run.id), landscapes: try RunFolder.landscapes(in: folder(of: state.run)),
        finalTrainLoss: Self.finalTrainLoss(rows))
    }
    return StudyResults(
      name: study.name, description: study.description, title: study.title, figure: study.figure, scale: study.scale,
      exponent: study.runs.first?.configuration.measure.momentumExponent ?? 1, axes: study.axes,
      settings: study.settings,
      runs: runs)
  }

  private static func finalTrainLoss(_ rows: [ResultRow]) -> Double? {
    let singles = rows.filter { $0.kind == .single && $0.trainLoss != nil }
    guard let last = singles.map(\.step).max() else { return nil }
    let losses = singles.filter { $0.step == last }.compactMap(\.trainLoss)
    return losses.reduce(0, +) / Double(losses.count)
  }
}

extension Study {
  /// The values that all runs share, as the file would write them, for people to read.
  public var settings: [Setting] {
    guard let first = runs.first else { return [] }
    func common(_ key: String, _ values: [String]) -> Setting {
      let distinct = values.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
      return Setting(key: key, value: distinct.joined(separator: "; "))
    }
    var settings = [
      common("dataset", runs.map(\.configuration.dataset.summary)),
      common("model", runs.map(\.configuration.model.summary)),
    ]
    let varied = Set(axes.map { StudyKeys.path($0).joined(separator: ".") })
    for path in StudyKeys.sweepable where !varied.contains(path) && StudyKeys.sections[path] == nil {
      let isVaried = varied.contains { path.hasPrefix($0 + ".") }
      guard !isVaried, let value = first.configuration.value(at: path), value != "null" else { continue }
      settings.append(Setting(key: path, value: value))
    }
    let seeds = Set(runs.map(\.configuration.seeds)).sorted {
      ($0.initialisation, $0.order, $0.augmentation) < ($1.initialisation, $1.order, $1.augmentation)
    }
    settings.append(Setting(key: "seeds", value: seeds.map(\.text).joined(separator: ", ")))
    return settings
  }
}

extension RunConfiguration.Seeds {
  /// One number if all three are the same.
  var text: String {
    initialisation == order && order == augmentation ? "\(order)" : "\(initialisation)/\(order)/\(augmentation)"
  }
}

extension StudyResults {
  /// Everything as JSON.
  public func json() throws -> Data {
    let encoder = RowFile.makeEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return try encoder.encode(self)
  }

  /// One line for each row of results (RFC 4180, one header line); runs without results have no line.
  public func csv() -> String {
    let fixed = [
      "run", "status", "learning_rate", "batch_size", "momentum", "weight_decay", "seed", "noise_proxy_p\(exponent)",
    ]
    let measured = ResultRow.columns.map(StudyKeys.spelling.normalised)
    // Learning rate and the like have their columns already.
    let covered = Set(fixed + fixed.map { "optimizer.\($0)" })
    let swept = axes.indices.filter { !covered.contains(StudyKeys.path(axes[$0]).joined(separator: ".")) }
    var lines = [fixed + swept.map { axes[$0] } + measured]
    for run in runs {
      let head =
        [
          run.id, run.status.name, "\(run.learningRate)", "\(run.batchSize)", "\(run.momentum)", "\(run.weightDecay)",
          "\(run.seed)", "\(run.noiseProxy)",
        ] + swept.map { run.settings.indices.contains($0) ? run.settings[$0].value : "" }
      for row in run.rows { lines.append(head + Self.cells(row)) }
    }
    return lines.map { $0.map(Self.quoted).joined(separator: ",") + "\r\n" }.joined()
  }

  private static func cells(_ row: ResultRow) -> [String] {
    func text(_ number: Double?) -> String { number.map { "\($0)" } ?? "" }
    return [
      row.kind.rawValue, text(row.epoch), "\(row.step)", row.endpoints.map(String.init).joined(separator: "+"),
      row.evaluation ?? "", row.task ?? "", (row.learningRates ?? []).map { "\($0)" }.joined(separator: "+"),
      row.method ?? "", text(row.alpha), row.batchNorm ?? "", text(row.testAccuracy), text(row.testLoss),
      text(row.trainLoss), text(row.trainAccuracy), text(row.weightNorm), text(row.singleAccuracy),
      text(row.singleLoss), text(row.accuracyGain), text(row.accuracyGainError), text(row.lossGain),
      text(row.lossGainError), text(row.normalisedAccuracy),
    ]
  }

  private static func quoted(_ cell: String) -> String {
    guard cell.contains(where: { ",\"\r\n".contains($0) }) else { return cell }
    return "\"" + cell.replacingOccurrences(of: "\"", with: "\"\"") + "\""
  }
}
