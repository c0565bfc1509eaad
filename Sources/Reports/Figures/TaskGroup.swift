/// The merges of networks of the same tasks, with the same values of what else is swept.
struct TaskGroup {
  var tasks: [String]
  /// Empty where nothing else is swept.
  var group: String
  var cells: [TaskMerges.Cell]
  /// What tells the names of its figures apart.
  var suffix: String

  /// "fmow and resisc45".
  var words: String { tasks.joined(separator: " and ") + (group.isEmpty ? "" : " (\(group))") }

  var methods: [String] { cells.map(\.method).distinct() }

  static func table(_ cells: [TaskMerges.Cell]) -> Table {
    Table(
      columns: ["method", "alpha"] + (cells.first?.tasks ?? []).map { "learning_rate_\($0)" } + [
        "normalised_accuracy_percent", "lower", "upper", "runs",
      ],
      rows: cells.map { cell in
        [.text(cell.method), .number(cell.alpha)] + cell.learningRates.map { .number($0) }
          + cell.normalisedAccuracy.cells
      })
  }
}

extension Analysis {
  var taskGroups: [TaskGroup] {
    guard let tasks else { return [] }
    return tasks.groups.flatMap { group in
      tasks.taskSets.map { set in
        TaskGroup(
          tasks: set, group: group, cells: tasks.cells.filter { $0.group == group && $0.tasks == set },
          suffix: (tasks.taskSets.count > 1 ? "-" + fileName(set.joined(separator: "-")) : "")
            + (group.isEmpty ? "" : "-" + fileName(group)))
      }
    }
  }
}
