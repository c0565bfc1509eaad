import Foundation
import Studies

/// A number in no more digits than it takes: `0.003`, 1/3 as `0.3333`, and small numbers with a power of ten where that
/// is clearly shorter, `3e-4`.
func short(_ value: Double, digits: Int = 4) -> String {
  func trimmed(_ text: String) -> String {
    // C writes exponents with two digits.
    text.replacingOccurrences(of: "e-0", with: "e-").replacingOccurrences(of: "e+0", with: "e+")
  }
  let decimal = trimmed(String(format: "%.\(digits)g", value))
  guard value != 0, abs(value) < 1e-3 else { return decimal }
  let parts = String(format: "%.\(digits - 1)e", value).split(separator: "e").map(String.init)
  guard parts.count == 2, let mantissa = Double(parts[0]) else { return decimal }
  let scientific = trimmed(String(format: "%.\(digits)g", mantissa) + "e" + parts[1])
  return scientific.count < decimal.count - 1 ? scientific : decimal
}

/// With an explicit sign and a true minus: `+0.42`, `−0.10`, `0.00`.
func signed(_ value: Double, digits: Int) -> String {
  let text = String(format: "%.\(digits)f", abs(value))
  let isZero = !text.contains { $0 != "0" && $0 != "." }
  return (isZero ? "" : value < 0 ? "−" : "+") + text
}

/// "1 level", "3 levels".
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

/// "3 seeds", or "2 to 3 seeds" where the counts differ.
func span(_ counts: [Int], _ noun: String) -> String {
  guard let low = counts.min(), let high = counts.max() else { return "no \(noun)s" }
  return low == high ? counted(low, noun) : "\(low) to \(high) \(noun)s"
}

/// "< 0.0001", "= 0.012".
func probability(_ p: Double) -> String {
  p < 0.0001 ? "< 0.0001" : "= " + String(format: p < 0.001 ? "%.4f" : p < 0.1 ? "%.3f" : "%.2f", p)
}

/// A text as part of a file's name: letters, digits and hyphens only.
func fileName(_ text: String, otherwise: String = "other") -> String {
  let words = text.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
  return words.isEmpty ? otherwise : words.joined(separator: "-")
}

/// A merge method as people write it: `task_arithmetic` as "task arithmetic", `ties` as "TIES".
func methodTitle(_ method: String) -> String {
  let abbreviations = ["ties", "dare", "della", "sce"]
  return method.split(separator: "_").map { word in
    abbreviations.contains(String(word)) ? word.uppercased() : String(word)
  }.joined(separator: " ")
}

extension RunStatus {
  /// The status in one word.
  var word: String {
    switch self {
    case .pending: "pending"
    case .running: "running"
    case .done: "done"
    case .failed: "failed"
    case .diverged: "diverged"
    }
  }
}

extension Sequence where Element: Equatable {
  /// The values without repetitions, in the order in which they first occur.
  func distinct() -> [Element] { reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
}
