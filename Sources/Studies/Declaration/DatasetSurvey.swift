import Datasets
import Foundation
import Synchronization

extension DatasetChoice {
  /// Filled in from its files where it is a folder of one's own: how many examples and classes there are, which decides
  /// what a run does.
  /// - Throws: `DatasetError` when there is no such folder.
  func surveyed() throws -> Self {
    guard name.isOwn, let folder, train == nil || test == nil || classes == nil else { return self }
    let found = try Survey.of(name, folder)
    var result = self
    result.train = train ?? found.train
    result.test = test ?? found.test
    result.classes = classes ?? found.classes
    return result
  }
}

/// A study reads its dataset's declaration once for each of its runs, and a folder may take long to list.
private enum Survey {
  typealias Counts = (train: Int, test: Int, classes: Int)
  private static let known = Mutex<[String: Counts]>([:])

  static func of(_ name: KnownDataset, _ folder: URL) throws -> Counts {
    let key = "\(name.rawValue) \(folder.path)"
    if let counts = known.withLock({ $0[key] }) { return counts }
    let found = try name.survey(folder)
    let counts = (found.train, found.test, found.classNames.count)
    known.withLock { $0[key] = counts }
    return counts
  }
}
