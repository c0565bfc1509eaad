import Synchronization

/// A number that several threads add to.
public final class Counter: Sendable {
  private let number = Mutex(0)

  /// Starts at 0.
  public init() {}

  /// The sum so far.
  public var value: Int { number.withLock { $0 } }

  /// Adds an amount and gives the sum.
  @discardableResult
  public func add(_ amount: Int) -> Int {
    number.withLock {
      $0 += amount
      return $0
    }
  }
}
