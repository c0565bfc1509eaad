import Synchronization

/// A number that several threads add to.
public final class Counter: Sendable {
  private let number = Mutex(0)

  public init() {}

  public var value: Int { number.withLock { $0 } }

  @discardableResult
  public func add(_ amount: Int) -> Int {
    number.withLock {
      $0 += amount
      return $0
    }
  }
}
