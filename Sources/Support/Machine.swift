import Foundation

/// Facts about this computer and its processes.
public enum Machine {
  /// The name of this computer in its network.
  public static let hostName = ProcessInfo.processInfo.hostName

  /// The kernel's name for the space in which processes are numbered; empty if there is only one.
  package static let processSpace: String = {
    let name = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? ""
    let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
    return name + boot.filter { !$0.isWhitespace }.prefix(8)
  }()

  /// How many processors this process may use.
  public static var processors: Int { ProcessInfo.processInfo.activeProcessorCount }

  /// The processor's name, such as `AMD EPYC 7763`.
  public static var processorName: String {
    #if canImport(Darwin)
      var size = 0
      sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0)
      var bytes = [UInt8](repeating: 0, count: size)
      sysctlbyname("machdep.cpu.brand_string", &bytes, &size, nil, 0)
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    #else
      let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
      let line = information.split(separator: "\n").first { $0.hasPrefix("model name") }
      return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
    #endif
  }

  /// When a process on this machine started, in the kernel's units; nil if there is no such process, or it has ended (a
  /// zombie).
  package static func startOfProcess(_ process: Int32) -> String? {
    guard process > 0 else { return nil }
    #if os(Linux)
      guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
        let name = status.lastIndex(of: ")")
      else { return nil }
      // After the name, which may contain anything, the state is field 3 and the start time field 22.
      let fields = status[status.index(after: name)...].split(separator: " ")
      guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
      return String(fields[19])
    #else
      return kill(process, 0) == 0 || errno == EPERM ? "" : nil
    #endif
  }
}
