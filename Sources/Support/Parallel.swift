import Dispatch
import Synchronization

/// Calls `body` for every index below `count`, on up to `threads` threads, each with a worker of its own.
///
/// Indices are handed out in rising order. After an error no more are started, and the error of the smallest index is
/// thrown, so that the same data give the same message.
package func inParallel<Worker>(
  _ count: Int, threads: Int, worker: @Sendable () -> Worker, _ body: @Sendable (inout Worker, Int) throws -> Void
) throws {
  let next = Atomic<Int>(0)
  let failure = Mutex<(index: Int, error: any Error)?>(nil)
  DispatchQueue.concurrentPerform(iterations: max(1, min(threads, count))) { _ in
    var worker = worker()
    while true {
      let index = next.add(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      do {
        try body(&worker, index)
      } catch {
        failure.withLock { if index < $0?.index ?? .max { $0 = (index, error) } }
        next.store(count, ordering: .relaxed)
      }
    }
  }
  if let failure = failure.withLock({ $0 }) { throw failure.error }
}

/// Calls `body` for every index below `count`, on up to `threads` threads.
package func inParallel(_ count: Int, threads: Int, _ body: @Sendable (Int) throws -> Void) throws {
  try inParallel(count, threads: threads, worker: {}, { try body($1) })
}
