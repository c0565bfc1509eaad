import Foundation
import Studies

/// Merges of networks trained on different tasks, by their learning rates (the paper's Figures 8 and 23).
public struct TaskMerges: Codable, Sendable {
  /// What one method at one coefficient makes of networks trained with these learning rates.
  public struct Cell: Codable, Sendable {
    /// The merge method, as recipes call it.
    public var method: String
    /// The merge coefficient.
    public var alpha: Double
    /// The tasks of the merged networks.
    public var tasks: [String]
    /// The learning rates of the networks, in the order of `tasks`.
    public var learningRates: [Double]
    /// What else is swept; empty where nothing is.
    public var group: String
    /// Mean over the tasks of accuracy(merged) / accuracy(its single), in percent.
    public var normalisedAccuracy: Estimate

    var value: Double { normalisedAccuracy.value }
    var hasOneRate: Bool { Set(learningRates).count == 1 }
  }

  /// Sorted by group, method, tasks, coefficient and learning rates.
  public var cells: [Cell]

  private struct Key: Hashable {
    var method: String
    var alpha: Double
    var tasks: [String]
    var learningRates: [Double]
    var group: String
  }

  /// Nil where no run has merged networks of different tasks.
  init?(_ lines: Lines, _ selection: MergeSelection) {
    let axes = lines.axes.filter { $0.quantity != .learningRate }
    var samples: [Key: [[Estimate.Sample]]] = [:]
    var errors: [Key: Double] = [:]
    for configuration in lines.configurations {
      for run in configuration.finished {
        let rows = selection.atCheckpoints(run.rows.filter { $0.normalisedAccuracy?.isFinite ?? false })
        let errorsOfMerges = Self.errors(run)
        let names = Self.taskNames(run)
        let order = Self.tasks(run)
        var own: [Key: [Estimate.Sample]] = [:]
        for row in rows {
          guard let value = row.normalisedAccuracy, let alpha = row.alpha else { continue }
          let rates = row.learningRates ?? row.endpoints.map { _ in run.learningRate }
          guard rates.count == row.endpoints.count else { continue }
          let parts = zip(row.endpoints, rates).enumerated().map { place, part in
            (task: names[part.0] ?? "task \(place + 1)", rate: part.1)
          }.sorted { a, b in
            (order.firstIndex(of: a.task) ?? order.count, a.task) < (
              order.firstIndex(of: b.task) ?? order.count, b.task
            )
          }
          let key = Key(
            method: row.mergeMethod, alpha: alpha, tasks: parts.map(\.task), learningRates: parts.map(\.rate),
            group: lines.name(configuration, axes))
          own[key, default: []].append(.init(endpoints: row.endpoints, value: 100 * value))
          errors[key] = errorsOfMerges[Merge(row)].map { 100 * $0 }
        }
        for (key, values) in own { samples[key, default: []].append(values) }
      }
    }
    cells = samples.compactMap { key, runs in
      Estimate(samples: runs, error: errors[key]).map {
        Cell(
          method: key.method, alpha: key.alpha, tasks: key.tasks, learningRates: key.learningRates, group: key.group,
          normalisedAccuracy: $0)
      }
    }.sorted { a, b in
      let (x, y) = ([a.group, a.method] + a.tasks, [b.group, b.method] + b.tasks)
      if x != y { return x.lexicographicallyPrecedes(y) }
      return ([a.alpha] + a.learningRates).lexicographicallyPrecedes([b.alpha] + b.learningRates)
    }
    if cells.isEmpty { return nil }
  }

  /// What rows about the same merge have in common, whatever the task.
  private struct Merge: Hashable {
    var step: Int
    var endpoints: [Int]
    var method: String?
    var alpha: Double?

    init(_ row: ResultRow) { (step, endpoints, method, alpha) = (row.step, row.endpoints, row.method, row.alpha) }
  }

  /// The standard error over test examples of the normalised accuracy of each merge. A task's ratio is
  /// 1 + gain / single, with the paired error of the gain and no error of the single; test sets of different tasks are
  /// independent.
  private static func errors(_ run: RunResults) -> [Merge: Double] {
    let rows = run.rows.filter { $0.kind == .merged && $0.evaluation != nil && $0.isAcrossTasks }
    return Dictionary(grouping: rows, by: Merge.init).compactMapValues { rows in
      let errors = rows.compactMap { row -> Double? in
        guard let error = row.accuracyGainError, let single = row.singleAccuracy, single > 0 else { return nil }
        return error / single
      }
      guard errors.count == rows.count else { return nil }
      return errors.reduce(0) { $0 + $1 * $1 }.squareRoot() / Double(errors.count)
    }
  }

  /// The task of each endpoint.
  private static func taskNames(_ run: RunResults) -> [Int: String] {
    let pairs = run.rows.compactMap { row in
      row.kind == .single ? row.task.flatMap { task in row.endpoints.first.map { ($0, task) } } : nil
    }
    return Dictionary(pairs) { first, _ in first }
  }

  /// The tasks in the order of their endpoints.
  private static func tasks(_ run: RunResults) -> [String] {
    taskNames(run).sorted { $0.key < $1.key }.map(\.value).distinct()
  }

  var methods: [String] { cells.map(\.method).distinct() }
  var groups: [String] { cells.map(\.group).distinct() }
  /// The tasks merged with one another.
  var taskSets: [[String]] { cells.map(\.tasks).distinct() }

  /// At most six coefficients, evenly spread over those tried, with the best among them.
  static func shown(_ cells: [Cell]) -> [Double] {
    let alphas = Set(cells.map(\.alpha)).subtracting([0]).sorted()
    guard alphas.count > 6 else { return alphas }
    var places = (0..<6).map { ($0 * (alphas.count - 1) + 2) / 5 }
    if let best = cells.max(by: { $0.value < $1.value }), let place = alphas.firstIndex(of: best.alpha),
      let nearest = places.indices.min(by: { abs(places[$0] - place) < abs(places[$1] - place) })
    {
      places[nearest] = place
    }
    return Set(places).sorted().map { alphas[$0] }
  }

  /// The best of all merges, in a few words.
  var headline: String? {
    cells.max { $0.value < $1.value }.map { best in
      "Across tasks, merging keeps at best \(String(format: "%.1f %%", best.value)) of the accuracy of the networks "
        + "merged: \(methodTitle(best.method)) at \(coefficientName(best.method)) = \(short(best.alpha)), learning "
        + "rates \(rates(best))"
    }
  }

  /// The best cell of each method and group in a sentence; for two tasks also the best cell of every α.
  var sentences: [String] {
    groups.flatMap { group in
      taskSets.flatMap { tasks in
        methods.compactMap { method in
          let cells = cells.filter { $0.group == group && $0.tasks == tasks && $0.method == method }
          return sentence(cells, method, tasks, group)
        }
      }
    }
  }

  private func sentence(_ cells: [Cell], _ method: String, _ tasks: [String], _ group: String) -> String? {
    guard let best = cells.max(by: { $0.value < $1.value }) else { return nil }
    let symbol = coefficientName(method)
    var text =
      "Across the tasks \(tasks.joined(separator: " and "))\(group.isEmpty ? "" : " (\(group))"), "
      + "\(methodTitle(method)): the best normalised accuracy is \(level(best)) at \(symbol) = \(short(best.alpha)) "
      + "with learning rates \(rates(best))"
    if let same = cells.filter(\.hasOneRate).max(by: { $0.value < $1.value }), !best.hasOneRate {
      text += "; with equal ones \(level(same)) at \(symbol) = \(short(same.alpha)), \(rates(same))"
    }
    let shown = Self.shown(cells)
    let winners = shown.compactMap { alpha in cells.filter { $0.alpha == alpha }.max { $0.value < $1.value } }
    let distinctRates = Set(cells.flatMap(\.learningRates)).sorted()
    guard tasks.count == 2, distinctRates.count > 1, cells.contains(where: { !$0.hasOneRate }) else {
      return text + "."
    }
    let listed = winners.map { "\(short($0.alpha)): \(rates($0)) (\(String(format: "%.1f", $0.value)) %)" }
    let close = winners.filter { cell in
      let places = cell.learningRates.compactMap { distinctRates.firstIndex(of: $0) }
      return abs(places[0] - places[1]) <= 1
    }
    return text + ". Best pair by \(symbol): \(listed.joined(separator: "; ")); in \(close.count) of "
      + "\(winners.count) the two rates are equal or neighbours."
  }

  private func level(_ cell: Cell) -> String {
    let estimate = cell.normalisedAccuracy
    let interval = estimate.lower.flatMap { low in
      estimate.upper.map { String(format: " (95 %% interval %.1f to %.1f)", low, $0) }
    }
    return String(format: "%.1f %%", cell.value) + (interval ?? "")
  }

  private func rates(_ cell: Cell) -> String { cell.learningRates.map { short($0) }.joined(separator: " × ") }
}
