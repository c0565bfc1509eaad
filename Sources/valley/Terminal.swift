import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `1 thread`, `2 threads`
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

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
