import Foundation
import Synchronization

/// Whether somebody asked this process to stop.
final class StopRequest: Sendable {
  private let requested = Atomic(false)
  var isRequested: Bool { requested.load(ordering: .relaxed) }

  /// - Returns: false if it was requested before.
  @discardableResult
  func request() -> Bool { !requested.exchange(true, ordering: .relaxed) }
}

/// Hears Ctrl-C, SIGTERM and SIGHUP, which then end nothing by themselves, until it is cancelled.
struct StopSignals {
  private let sources: [any DispatchSourceSignal]

  /// Returns when signals are heard.
  init(_ handler: @escaping @Sendable () -> Void) {
    // A queue of its own: the global ones have no thread left while a merge keeps every core busy.
    let queue = DispatchQueue(label: "signals")
    let registered = DispatchSemaphore(value: 0)
    sources = [SIGINT, SIGTERM, SIGHUP].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler(handler: handler)
      source.setRegistrationHandler { registered.signal() }
      source.resume()
      return source
    }
    // A signal that comes before its source listens would be lost.
    for _ in sources { _ = registered.wait(timeout: .now() + 1) }
  }

  func cancel() { for source in sources { source.cancel() } }
}
