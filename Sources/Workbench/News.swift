/// News of work in progress, for whoever waits for it.
///
///     let bench = try Bench(["a.safetensors", "b.safetensors"], from: source) { news in
///       if case .note(let sentence) = news { print(sentence) }
///     }
public enum News: Hashable, Sendable {
  /// A sentence that people should read, such as what was renamed, replaced or left out.
  case note(String)
  /// `done` of `total` points, steps or examples (`stage` says which), with a detail such as the last loss.
  case progress(_ stage: String, done: Int, total: Int, detail: String)

  /// Receives the news. Calls come one at a time, from whichever thread is at work.
  public typealias Listener = @Sendable (News) -> Void

  static func progress(_ stage: String, _ done: Int, of total: Int, detail: String = "") -> News {
    .progress(stage, done: done, total: total, detail: detail)
  }
}
