import Foundation
import Support

/// A child process whose standard output is read line by line, in a process group of its own, so that Ctrl-C in the
/// terminal reaches only this process. Its standard input is a pipe that nothing is written to: it ends when this
/// process ends, however that happens.
final class WorkerProcess {
  enum Ending: Hashable {
    case exit(Int32)
    case signal(Int32)
  }

  let process: pid_t
  private let input: Int32
  private let output: Int32
  private var pending = Data()
  private var ending: Ending?
  private var isOutputOpen = true

  /// One at a time, so that no worker inherits another's pipe before it is marked to be closed.
  private static let starting = NSLock()

  /// - Parameters:
  ///   - command: the executable's path and its arguments
  ///   - errors: the file that takes its standard error, emptied first
  init(_ command: [String], environment: [String: String], errors: URL) throws {
    let executable = command.first ?? ""
    Self.starting.lock()
    defer { Self.starting.unlock() }
    let log = open(errors.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard log >= 0 else { throw FileError(cannot: "create", errors.path) }
    defer { close(log) }
    let (childInput, input) = try Self.makePipe()
    defer { close(childInput) }
    let output: Int32
    let childOutput: Int32
    do {
      (output, childOutput) = try Self.makePipe()
    } catch {
      close(input)
      throw error
    }
    defer { close(childOutput) }
    do {
      process = try Self.spawn(
        command, environment: environment, descriptors: [childInput, childOutput, log], executable: executable)
    } catch {
      close(input)
      close(output)
      throw error
    }
    self.input = input
    self.output = output
    _ = fcntl(output, F_SETFL, O_NONBLOCK)
  }

  deinit {
    close(input)
    close(output)
  }

  private static func makePipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw FileError(cannot: "make", "a pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  private static func spawn(
    _ command: [String], environment: [String: String], descriptors: [Int32], executable: String
  ) throws -> pid_t {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    for (target, descriptor) in descriptors.enumerated() {
      posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(target))
    }
    // What this process ignores or blocks the worker would too, otherwise.
    var (usual, none) = (sigset_t(), sigset_t())
    sigemptyset(&usual)
    sigemptyset(&none)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT] { sigaddset(&usual, number) }
    posix_spawnattr_setsigdefault(&attributes, &usual)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setpgroup(&attributes, 0)
    var flags = Int32(POSIX_SPAWN_SETPGROUP) | Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK)
    #if canImport(Darwin)
      flags |= Int32(POSIX_SPAWN_CLOEXEC_DEFAULT)
    #endif
    posix_spawnattr_setflags(&attributes, Int16(flags))

    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in arguments + variables { free(pointer) } }
    var process: pid_t = 0
    let code = posix_spawn(&process, executable, &actions, &attributes, &arguments, &variables)
    guard code == 0 else { throw FileError(cannot: "start", executable, code: code) }
    return process
  }

  /// Asks the process to stop.
  func terminate() { if ending == nil { kill(process, SIGTERM) } }

  /// Ends the process and all it started.
  func killGroup() { if ending == nil { kill(-process, SIGKILL) } }

  /// Waits up to `timeout` seconds for lines, which it returns, or for the end.
  func lines(timeout: Double) -> [Data] {
    var descriptor = pollfd(fd: isOutputOpen ? output : -1, events: Int16(POLLIN), revents: 0)
    _ = poll(&descriptor, 1, Int32(timeout * 1000))
    drain()
    var lines: [Data] = []
    while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
      lines.append(Data(pending[..<end]))
      pending = Data(pending[(end + 1)...])
    }
    // A worker that prints without line ends is of no interest.
    if pending.count > 1 << 20 { pending = Data() }
    return lines
  }

  private func drain() {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while isOutputOpen {
      let count = retrying { read(output, &buffer, buffer.count) }
      if count > 0 {
        pending.append(contentsOf: buffer[..<count])
      } else {
        if count == 0 { isOutputOpen = false }
        return
      }
    }
  }

  /// How the process ended, or nil while it lives.
  func endingIfOver() -> Ending? {
    guard ending == nil else { return ending }
    var status: Int32 = 0
    guard retrying({ waitpid(process, &status, WNOHANG) }) == process else { return nil }
    // The macros WIFEXITED, WEXITSTATUS and WTERMSIG.
    ending = status & 0x7F == 0 ? .exit((status >> 8) & 0xFF) : .signal(status & 0x7F)
    return ending
  }
}
