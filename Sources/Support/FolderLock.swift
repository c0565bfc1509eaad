import Foundation

/// Exclusive ownership of a folder, recorded in its file `lock`, which works across machines on a shared file system.
///
/// The file is written under another name and hard-linked to `lock`. link(2) either makes the name or fails, even on
/// network file systems, so nobody ever sees half a lock. The owner keeps renewing the file's modification time (the
/// heartbeat).
///
/// A lock is taken over when its owner is gone: a dead process on this machine, or one elsewhere without a heartbeat
/// for a minute. The successor links its own file to `lock.after-<token of the dead owner>`, a name that only one
/// process can ever make, and then renames it over `lock`. A process that looks in between follows the chain of such
/// names to the owner at its end. So no two processes take over the same lock, and none mistakes a new lock for the old
/// one.
public final class FolderLock: @unchecked Sendable {
  /// Who holds a lock.
  public struct Owner: Codable, Hashable, Sendable, CustomStringConvertible {
    /// The name of the machine.
    public let host: String
    /// Distinguishes containers on one machine, in which the same number means different processes.
    public let processSpace: String
    /// The process's number.
    public let process: Int32
    /// When the process started, so that a reused number is not mistaken for it.
    public let processStart: String
    /// When it took the lock.
    public let since: Date
    /// Different for every lock that was ever taken.
    public let token: String

    /// "process 1 on host since 2026-01-01T00:00:00Z"
    public var description: String { "process \(process) on \(host) since \(since.formatted(.iso8601))" }

    static func current() -> Owner {
      Owner(
        host: Machine.hostName, processSpace: Machine.processSpace, process: getpid(),
        processStart: Machine.startOfProcess(getpid()) ?? "", since: .currentSecond, token: UUID().uuidString)
    }
  }

  /// An error: the folder belongs to a living process.
  public struct Held: Error, CustomStringConvertible, Sendable {
    /// The folder's path.
    public let folder: String
    /// Who has it.
    public let owner: Owner
    /// Who has the folder, and what to do about it.
    public var description: String {
      "\(folder) is in use by \(owner); wait for it or stop it. (A lock whose process is gone is taken over by itself.)"
    }
  }

  /// An error: the lock was taken over, because this process gave no sign of life for too long.
  public struct Lost: Error, CustomStringConvertible, Sendable {
    /// The folder's path.
    public let folder: String
    /// What happened, and that nothing more is written.
    public var description: String {
      "\(folder) was taken over by another process, since this one had stopped for over a minute; "
        + "nothing more is written"
    }
  }

  /// The folder.
  public let folder: URL
  /// This process, as the lock records it.
  public let owner: Owner
  private let descriptor: Int32
  private let inode: UInt64
  private let timer: any DispatchSourceTimer
  private let mutex = NSLock()
  private var isReleased = false

  private var path: String { folder.path + "/lock" }

  /// Takes the lock.
  ///
  /// - Parameters:
  ///   - folder: which must exist
  ///   - heartbeat: seconds between signs of life
  ///   - staleAfter: seconds without one after which a lock of another machine counts as abandoned
  /// - Throws: `Held` if a living process has the lock, `FileError` if the system refuses.
  public init(_ folder: URL, heartbeat: Double = 10, staleAfter: Double = 60) throws {
    self.folder = folder
    owner = Owner.current()
    let path = folder.path + "/lock"
    let mine = path + ".new-" + owner.token
    descriptor = retrying { open(mine, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644) }
    guard descriptor >= 0 else { throw FileError(cannot: "create", mine) }
    do {
      defer { unlink(mine) }
      try writeAll(try JSONEncoder.record.encode(owner), to: descriptor, path: mine)
      guard fsync(descriptor) == 0 else { throw FileError(cannot: "flush", mine) }
      guard let stamp = FileStamp(mine) else { throw FileError(cannot: "read", mine) }
      inode = stamp.inode
      try Self.acquire(path: path, mine: mine, owner: owner, descriptor: descriptor, staleAfter: staleAfter)
    } catch {
      close(descriptor)
      throw error
    }
    timer = DispatchSource.makeTimerSource(queue: .global(qos: .utility))
    timer.schedule(deadline: .now() + heartbeat, repeating: heartbeat)
    timer.setEventHandler { [weak self] in self?.beat() }
    timer.resume()
  }

  deinit {
    release()
    timer.cancel()
    close(descriptor)
  }

  /// Makes sure that this process still owns the folder; cheap enough to call before every checkpoint.
  ///
  /// - Throws: `Lost` if it does not.
  public func check() throws {
    guard !mutex.withLock({ isReleased }), FileStamp(path)?.inode == inode else { throw Lost(folder: folder.path) }
  }

  /// Gives up the folder.
  public func release() {
    mutex.withLock {
      guard !isReleased else { return }
      isReleased = true
      if FileStamp(path)?.inode == inode { unlink(path) }
    }
  }

  private func beat() {
    mutex.withLock { if !isReleased { _ = futimens(descriptor, nil) } }
  }

  /// Who owns the folder now; nil if nobody does, or the lock is abandoned.
  public static func owner(of folder: URL, staleAfter: Double = 60) -> Owner? {
    guard let (last, file) = chainEnd(folder.path + "/lock") else { return nil }
    return isAlive(last, file: file, now: Date().timeIntervalSince1970, staleAfter: staleAfter) ? last : nil
  }

  private static func acquire(path: String, mine: String, owner: Owner, descriptor: Int32, staleAfter: Double) throws {
    for _ in 0..<1000 {
      if try makeLink(mine, path) { return }
      guard let (last, file) = chainEnd(path) else { continue }
      // By the file system's own clock, which may differ from this machine's.
      _ = futimens(descriptor, nil)
      let now = FileStamp(mine)?.modified ?? Date().timeIntervalSince1970
      if isAlive(last, file: file, now: now, staleAfter: staleAfter) {
        throw Held(folder: URL(fileURLWithPath: path).deletingLastPathComponent().path, owner: last)
      }
      let succession = path + ".after-" + last.token
      guard try makeLink(mine, succession) else { continue }
      // Since the chain was read, the owner may have been succeeded and the successor have finished. Then this name is
      // not on any chain.
      guard let end = chainEnd(path), end.owner.token == owner.token else {
        unlink(succession)
        continue
      }
      guard rename(mine, path) == 0 else { throw FileError(cannot: "rename", mine) }
      removeSuccessions(path)
      return
    }
    throw FileError(cannot: "lock", path, code: EAGAIN)
  }

  /// Makes a new name for a file; false if the name exists.
  private static func makeLink(_ file: String, _ name: String) throws -> Bool {
    if link(file, name) == 0 { return true }
    let code = errno
    // Over a network, the answer may be lost and the repeated request fail although the first one made the link.
    if let a = FileStamp(file), let b = FileStamp(name), a.inode == b.inode { return true }
    guard code == EEXIST else { throw FileError(cannot: "link", name, code: code) }
    return false
  }

  /// The owner to whom `lock` and the successions after it lead, and the file that says so; nil if there is no lock.
  private static func chainEnd(_ path: String) -> (owner: Owner, file: String)? {
    guard var end = read(path).map({ (owner: $0, file: path) }) else { return nil }
    for _ in 0..<1000 {
      let next = path + ".after-" + end.owner.token
      guard let owner = read(next) else { break }
      end = (owner, next)
    }
    return end
  }

  /// A file that cannot be understood, after a crash of the machine say, counts as a lock of an unknown owner, of which
  /// only the age is known.
  private static func read(_ path: String) -> Owner? {
    guard let stamp = FileStamp(path) else { return nil }
    if let data = FileManager.default.contents(atPath: path),
      let owner = try? JSONDecoder.record.decode(Owner.self, from: data)
    {
      return owner
    }
    guard FileStamp(path) != nil else { return nil }
    return Owner(
      host: "an unknown machine", processSpace: "", process: 0, processStart: "",
      since: Date(timeIntervalSince1970: stamp.modified), token: "damaged-\(stamp.inode)")
  }

  private static func isAlive(_ owner: Owner, file: String, now: Double, staleAfter: Double) -> Bool {
    if owner.host == Machine.hostName, owner.processSpace == Machine.processSpace {
      return Machine.startOfProcess(owner.process) == owner.processStart
    }
    guard let stamp = FileStamp(file) else { return false }
    return now - stamp.modified < staleAfter
  }

  /// Removes the names of finished successions, to which no chain leads any more, and what crashed processes left
  /// half-made.
  private static func removeSuccessions(_ path: String) {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
      let file = folder + "/" + name
      if name.hasPrefix("lock.after-") {
        unlink(file)
      } else if name.hasPrefix("lock.new-"),
        let age = FileStamp(file).map({ Date().timeIntervalSince1970 - $0.modified }), age > 3600
      {
        unlink(file)
      }
    }
  }
}
