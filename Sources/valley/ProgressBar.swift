import Foundation

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

/// One status line on standard error for a stage of work: a bar on a terminal, a plain line now and then in a log.
///
/// The rate is that of the last half-minute, so that the time left follows a change of speed.
struct ProgressBar {
  let stage: String
  private let start = Date()
  private var last = Date.distantPast
  private var marks: [(time: Date, done: Int)]
  private var isOpen = false
  private var isOver = false

  /// - Parameter done: how much was done before, by an earlier attempt
  init(_ stage: String, done: Int) { (self.stage, marks) = (stage, [(start, done)]) }

  mutating func update(_ done: Int, of total: Int, _ detail: String) {
    let now = Date()
    // What takes a moment needs no bar, and the end is told once, even where steps are rounded.
    guard now.timeIntervalSince(start) > 0.5, !isOver else { return }
    isOver = done >= total
    guard now.timeIntervalSince(last) >= (Terminal.isErrorTerminal ? 0.1 : 30) || isOver else { return }
    last = now
    while marks.count > 1, now.timeIntervalSince(marks[1].time) > 30 { marks.removeFirst() }
    let rate = Double(done - marks[0].done) / now.timeIntervalSince(marks[0].time)
    marks.append((now, done))
    let left = rate > 0 ? Double(total - done) / rate : nil
    let head = "\(stage) \(done)/\(total)"
    let tail = " \(clock(now.timeIntervalSince(start))) in, \(clock(left)) left \(detail)"
    guard Terminal.isErrorTerminal else { return Terminal.writeError(head + tail + "\n") }
    let room = min(30, Terminal.width - head.count - tail.count - 4)
    let drawn = room > 4 ? " " + bar(Double(done) / Double(max(1, total)), width: room) : ""
    let line = (head + drawn + tail).prefix(Terminal.width - 1)
    Terminal.writeError("\r\u{1B}[2K" + line + (isOver ? "\n" : ""))
    isOpen = !isOver
  }

  /// Ends the line of an unfinished bar, before something else is printed.
  func end() { if isOpen { Terminal.writeError("\n") } }
}
