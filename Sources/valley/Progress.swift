import Foundation

/// What standard output and standard error are connected to.
enum Terminal {
  static let isErrorTerminal = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  static let isOutputTerminal = isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"

  /// NO_COLOR (no-color.org) wins over everything.
  static let usesColour = isOutputTerminal && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty

  /// Columns of the terminal on standard error; 80 where there is none.
  static var width: Int {
    var size = winsize()
    guard isErrorTerminal, ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  static func writeError(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

  /// `text` in an ANSI colour where standard output is a terminal that may have it.
  static func colour(_ text: String, _ code: Int) -> String { usesColour ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
}

/// Seconds for people: `0:07`, `12:30`, `3:04:05`, `2 d 03 h`, `–` for unknown.
func clock(_ seconds: Double?) -> String {
  guard let seconds, seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "–" }
  let whole = Int(seconds.rounded())
  if whole >= 86_400 { return String(format: "%d d %02d h", whole / 86_400, whole / 3600 % 24) }
  if whole >= 3600 { return String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60) }
  return String(format: "%d:%02d", whole / 60, whole % 60)
}

/// A bar of `width` columns.
func bar(_ fraction: Double, width: Int) -> String {
  guard width > 0 else { return "" }
  let full = Int((min(max(fraction, 0), 1) * Double(width)).rounded(.down))
  return String(repeating: "━", count: full) + String(repeating: "─", count: width - full)
}

/// One status line on standard error: a bar on a terminal, a plain line every `every` seconds in a log.
///
/// The rate is that of the last half-minute, so that the time left follows a change of speed. One thread at a time may use it.
final class Progress {
  private let label: String
  private let total: Int
  private let every: Double
  private let start = Date()
  private var last = Date.distantPast
  private var marks: [(time: Date, done: Int)] = []
  private(set) var done: Int

  /// - Parameters:
  ///   - total: how many steps (or bytes) make the whole
  ///   - done: how many were done before, by an earlier attempt
  ///   - every: seconds between lines in a log
  init(_ label: String, total: Int, done: Int = 0, every: Double = 30) {
    self.label = label
    self.total = max(1, total)
    self.done = done
    self.every = every
    marks = [(start, done)]
  }

  func advance(_ count: Int = 1, note: @autoclosure () -> String = "") { update(done + count, note: note()) }

  func update(_ done: Int, note: @autoclosure () -> String = "") {
    let wasLast = self.done >= total
    self.done = done
    let now = Date()
    let isLast = done >= total
    // The end is told once, even where steps are rounded.
    if wasLast && isLast { return }
    guard now.timeIntervalSince(last) >= (Terminal.isErrorTerminal ? 0.1 : every) || isLast else { return }
    last = now
    while marks.count > 1, now.timeIntervalSince(marks[1].time) > 30 { marks.removeFirst() }
    let rate = Double(done - marks[0].done) / max(1e-9, now.timeIntervalSince(marks[0].time))
    marks.append((now, done))
    let left = rate > 0 ? Double(total - done) / rate : nil
    let head = "\(label) \(done)/\(total)"
    let tail = " \(clock(now.timeIntervalSince(start))) in, \(clock(left)) left \(note())"
    guard Terminal.isErrorTerminal else { return Terminal.writeError(head + tail + "\n") }
    let width = Terminal.width
    let room = min(30, width - head.count - tail.count - 4)
    let line = String(
      (head + (room > 4 ? " " + bar(Double(done) / Double(total), width: room) : "") + tail).prefix(width - 1))
    Terminal.writeError("\r\u{1B}[2K" + line + (isLast ? "\n" : ""))
  }

  /// Ends the line of an unfinished bar, before something else is printed.
  func finish() { if Terminal.isErrorTerminal, done < total { Terminal.writeError("\n") } }
}

/// Several status lines on standard error, drawn over the previous ones on a terminal; in a log only the first, every `every` seconds.
final class StatusBlock {
  private let every: Double
  private var drawn = 0
  private var last = Date.distantPast

  init(every: Double = 30) { self.every = every }

  func show(_ lines: @autoclosure () -> [String], now: Date = Date(), isUrgent: Bool = false) {
    guard isUrgent || now.timeIntervalSince(last) >= (Terminal.isErrorTerminal ? 0.2 : every) else { return }
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

/// A table for people: columns aligned, numbers to the right, two spaces between.
struct TextTable {
  var header: [String]
  var rows: [[String]] = []

  init(_ header: [String]) { self.header = header }

  var text: String {
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    let isNumeric = header.indices.map { column in
      !rows.isEmpty && rows.allSatisfy { $0[column].allSatisfy { "0123456789+-−–.:/% e".contains($0) } }
    }
    func line(_ cells: [String]) -> String {
      let padded = cells.indices.map { column in
        let space = String(repeating: " ", count: max(0, widths[column] - cells[column].count))
        return isNumeric[column] ? space + cells[column] : cells[column] + space
      }
      let joined = padded.joined(separator: "  ")
      return String(joined.reversed().drop { $0 == " " }.reversed())
    }
    return ([Terminal.colour(line(header), 1)] + rows.map(line)).joined(separator: "\n")
  }
}
