import Foundation

/// Resident memory of this process in bytes; 0 where the system does not say.
public func residentMemory() -> Int {
  guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
  return (Int(text.split(separator: " ")[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
}

/// By how many bytes each of several runs of `body` made the process grow: at least four runs, then more until one left
/// less than `limit` behind or sixteen are done. Other tests take memory meanwhile, but only a leak makes every run
/// grow.
public func growths(limit: Int, _ body: () throws -> Void) rethrows -> [Int] {
  var growths: [Int] = []
  while growths.count < 4 || (growths.count < 16 && growths.allSatisfy { $0 >= limit }) {
    let before = residentMemory()
    try body()
    growths.append(residentMemory() - before)
  }
  return growths
}
