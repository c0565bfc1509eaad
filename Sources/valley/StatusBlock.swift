import Foundation

/// Several status lines on standard error, drawn over the previous ones on a terminal; in a log only the first, every
/// half-minute.
final class StatusBlock {
  private var drawn = 0
  private var last = Date.distantPast

  func show(_ lines: @autoclosure () -> [String], now: Date = Date(), isUrgent: Bool = false) {
    guard isUrgent || now.timeIntervalSince(last) >= (Terminal.isErrorTerminal ? 0.2 : 30) else { return }
    last = now
    let lines = lines()
    guard Terminal.isErrorTerminal else { return Terminal.writeError((lines.first ?? "") + "\n") }
    let width = Terminal.width
    Terminal.writeError(erasure + lines.map { String($0.prefix(width - 1)) + "\n" }.joined())
    drawn = lines.count
  }

  /// Prints lines that stay, above the status.
  func print(_ text: String) {
    Terminal.writeError((Terminal.isErrorTerminal ? erasure : "") + text + "\n")
    drawn = 0
  }

  private var erasure: String { drawn > 0 ? "\u{1B}[\(drawn)A\u{1B}[J" : "" }
}
