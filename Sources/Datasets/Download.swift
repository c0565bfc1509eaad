import Foundation
import Support

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Fetches a file over HTTP. It is written to `<destination>.part`, where an interrupted download continues, and gets
/// its name when its checksum is right.
public enum Download {
  /// Fetches one file.
  ///
  /// - Parameters:
  ///   - address: where it is, over HTTP or HTTPS
  ///   - destination: what it will be called; a file of that name is replaced
  ///   - checksum: what is expected, in hexadecimal: an MD5 of 32 digits or a SHA-256 of 64; nil: not checked
  ///   - limit: the most bytes to accept
  ///   - progress: called now and then with the bytes received and, if the server says, the bytes there will be
  /// - Throws: `DatasetError` naming the address and, for a wrong checksum, the one that was found. After a broken
  ///   connection the part is kept, so that the next call continues; a part with a wrong checksum is deleted.
  public static func fetch(
    _ address: URL, to destination: URL, checksum: String? = nil, limit: Int = 16 << 30,
    progress: @escaping @Sendable (_ done: Int, _ total: Int?) -> Void = { _, _ in }
  ) async throws {
    let files = FileManager.default
    let part = URL(fileURLWithPath: destination.path + ".part")
    do {
      try files.createDirectory(at: destination.deletingLastPathComponent(), withIntermediateDirectories: true)
      if !files.fileExists(atPath: part.path) { try Data().write(to: part) }
    } catch {
      throw DatasetError(
        file: part.path, "cannot be written: \(error.localizedDescription)",
        remedy: "set VALLEY_DATA to a folder that can")
    }
    let transfer = try Transfer(address, part: part, limit: limit, progress: progress)
    do {
      try await transfer.run()
    } catch {
      if (try? part.resourceValues(forKeys: [.fileSizeKey]).fileSize) == 0 { try? files.removeItem(at: part) }
      throw error
    }
    if let checksum {
      let found = try self.checksum(of: part, like: checksum)
      guard found == checksum.lowercased() else {
        try? files.removeItem(at: part)
        throw DatasetError(
          file: address.absoluteString,
          "the \(checksum.count == 64 ? "SHA-256" : "MD5") is \(found) where \(checksum) was expected; what was "
            + "fetched is deleted",
          remedy: "fetch again; if it happens again, the server has another file: try a mirror with --url")
      }
    }
    do {
      if files.fileExists(atPath: destination.path) { try files.removeItem(at: destination) }
      try files.moveItem(at: part, to: destination)
    } catch {
      throw DatasetError(file: destination.path, "cannot be written: \(error.localizedDescription)")
    }
  }

  /// The checksum of a file in hexadecimal: SHA-256 if `expected` has 64 digits, otherwise MD5.
  ///
  /// - Throws: an error of Foundation when the file cannot be read.
  public static func checksum(of file: URL, like expected: String = "") throws -> String {
    try Digest.of(file: file.path, expected.count == 64 ? .sha256 : .md5).hexadecimal
  }
}

/// One request, written to the part file as it arrives. URLSession calls the delegate from one queue, so the state
/// needs no lock.
private final class Transfer: NSObject, URLSessionDataDelegate, @unchecked Sendable {
  private let address: URL
  private let part: URL
  private let limit: Int
  private let progress: @Sendable (Int, Int?) -> Void
  private let output: FileHandle
  private var done: Int
  private var total: Int?
  private var failure: DatasetError?
  private var continuation: CheckedContinuation<Void, any Error>?

  init(_ address: URL, part: URL, limit: Int, progress: @escaping @Sendable (Int, Int?) -> Void) throws {
    guard let scheme = address.scheme?.lowercased(), ["http", "https"].contains(scheme) else {
      throw DatasetError(file: address.absoluteString, "is not an address that starts with http:// or https://")
    }
    self.address = address
    self.part = part
    self.limit = limit
    self.progress = progress
    output = try FileHandle(forWritingTo: part)
    done = Int(try output.seekToEnd())
  }

  func run() async throws {
    var request = URLRequest(url: address, cachePolicy: .reloadIgnoringLocalCacheData, timeoutInterval: 60)
    if done > 0 { request.setValue("bytes=\(done)-", forHTTPHeaderField: "Range") }
    // The file's bytes as they are, so that its length and checksum are the published ones.
    request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
    let queue = OperationQueue()
    queue.maxConcurrentOperationCount = 1
    let session = URLSession(configuration: .ephemeral, delegate: self, delegateQueue: queue)
    let task = session.dataTask(with: request)
    defer { session.finishTasksAndInvalidate() }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        self.continuation = continuation
        task.resume()
      }
    } onCancel: {
      task.cancel()
    }
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
  ) {
    guard let response = response as? HTTPURLResponse else { return completionHandler(.cancel) }
    let length = response.expectedContentLength > 0 ? Int(response.expectedContentLength) : nil
    switch response.statusCode {
    case 200:
      // The whole file, because that was asked for or the server does not serve ranges: start again.
      restart()
      total = length
    case 206:
      // "bytes 100-999/1000"
      let range = response.value(forHTTPHeaderField: "Content-Range") ?? ""
      let numbers = range.split { !$0.isNumber }.compactMap { Int($0) }
      if numbers.first != done { fail("the server answered with '\(range)' when asked to go on from byte \(done)") }
      total = length.map { done + $0 }
    case 416:
      // The file has nothing after the end of the part, "bytes */1000". The part is complete, or not of this file.
      let range = response.value(forHTTPHeaderField: "Content-Range") ?? ""
      total = range.split { !$0.isNumber }.last.flatMap { Int($0) }
      if total != done {
        restart()
        fail("what was fetched earlier is not a part of this file, and is deleted", remedy: "fetch again")
      }
      return completionHandler(.cancel)
    default:
      let meaning = HTTPURLResponse.localizedString(forStatusCode: response.statusCode)
      fail(
        "the server answered \(response.statusCode) \(meaning)",
        remedy: "check the address, or try a mirror with --url")
    }
    if let total, total > limit { fail("the file has \(total) bytes, more than the \(limit) allowed") }
    completionHandler(failure == nil ? .allow : .cancel)
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    guard failure == nil else { return }
    do {
      try output.write(contentsOf: data)
      done += data.count
      if done > limit { fail("the file has more than the \(limit) bytes allowed") }
    } catch {
      failure = DatasetError(
        file: part.path, "cannot be written: \(error.localizedDescription)",
        remedy: "free some space or set VALLEY_DATA")
    }
    if failure != nil { dataTask.cancel() } else { progress(done, total) }
  }

  func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
    try? output.synchronize()
    try? output.close()
    let finished = total.map { $0 == done } ?? (error == nil)
    if failure == nil, !finished {
      let reason = error?.localizedDescription ?? "the connection closed"
      if done == 0 {
        fail(reason, remedy: "check the connection, or try a mirror with --url")
      } else {
        let amount = total.map { "\(done) of \($0) bytes" } ?? "\(done) bytes"
        fail("stopped after \(amount): \(reason)", remedy: "fetch again to continue from there")
      }
    }
    if let failure { continuation?.resume(throwing: failure) } else { continuation?.resume() }
    continuation = nil
  }

  private func fail(_ problem: String, remedy: String? = nil) {
    failure = failure ?? DatasetError(file: address.absoluteString, problem, remedy: remedy)
  }

  private func restart() {
    guard done > 0 else { return }
    do {
      try output.truncate(atOffset: 0)
      done = 0
    } catch {
      failure = DatasetError(file: part.path, "cannot be written: \(error.localizedDescription)")
    }
  }
}
