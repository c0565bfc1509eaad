import Foundation
import Workbench

/// Shows on standard error what work tells: sentences as lines, and how far a stage is as a bar.
final class Reporter: @unchecked Sendable {
  private let mutex = NSLock()
  private var bar: ProgressBar?

  /// For the verbs of the workbench.
  var listener: News.Listener { { self.show($0) } }

  deinit { bar?.end() }

  /// For work that tells no more than how much of it is done.
  func show(_ stage: String, _ done: Int, of total: Int, _ detail: String = "") {
    mutex.withLock {
      if bar?.stage != stage {
        bar?.end()
        bar = ProgressBar(stage, done: done)
      }
      bar?.update(done, of: total, detail)
    }
  }

  /// Ends the line of a bar, before something else is printed.
  func finish() {
    mutex.withLock {
      bar?.end()
      bar = nil
    }
  }

  private func show(_ news: News) {
    switch news {
    case .note(let sentence):
      finish()
      Terminal.writeError(inOptions(sentence) + "\n")
    case .progress(let stage, let done, let total, let detail): show(stage, done, of: total, detail)
    }
  }
}
