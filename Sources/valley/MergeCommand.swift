import ArgumentParser
import Checkpoints
import DataMerging
import Foundation
import Merging
import Support
import Synchronization
import Torch

/// `valley merge`: one set of weights from several.
struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Merge networks: by a recipe, or by a method named here.",
    discussion: """
      A recipe is mergekit's YAML. A model is a safetensors file, a folder in Hugging Face's layout, or a name that the Hugging
      Face cache holds. The result is a folder in that layout (weights in shards, configuration, tokenizer, card, recipe), or one
      file if OUT ends in .safetensors; it appears when it is whole, or not at all. Models are read piece by piece, so memory does
      not grow with them. Arithmetic is in float32 and rounded once.

      --check reads only the files' headers and says whether everything fits together; --plan says what becomes of every tensor.
      `valley merge search` finds the values of a recipe that give the best merge; it has options of its own.

      BatchNorm's statistics are merged like weights: measure them anew afterwards (`valley eval --reestimate-batchnorm` tells
      what that gives). `valley merge methods` describes every method, `valley merge methods ties` one.

      EXAMPLES
        valley merge recipe.yml out/merged --check
        valley merge recipe.yml out/merged
        valley merge ties A B --base C --density 0.5 -o out/merged
        valley merge slerp A B --set t=0.3 -o out/merged --threads 2
        valley merge linear a.safetensors b.safetensors --alpha 0.5 -o merged.safetensors
        valley merge a.safetensors b.safetensors c.safetensors --weights 0.2,0.3,0.5 -o soup.safetensors
        valley merge regmean a.safetensors b.safetensors --model resnet18 --data cifar10 --data svhn -o merged.safetensors
        valley merge greedy_soup out/*.safetensors --model resnet18 --data cifar10 --split test -o soup.safetensors
        valley merge a.safetensors b.safetensors --alpha 1.2 --extrapolate -o beyond.safetensors
      """)

  @Argument(
    help: ArgumentHelp(
      "A recipe and where its result goes; or a method and the models to merge.",
      valueName: "recipe-or-method-or-models"))
  var words: [String] = []
  @OptionGroup var arguments: MergeArguments
  @OptionGroup(title: "Methods that look at data") var data: DataMergeOptions
  @Option(
    name: .shortAndLong, help: "The folder to write, or a file whose name ends in .safetensors.")
  var output: String?
  @Flag(help: "Say whether everything fits together, and merge nothing.") var check = false
  @Flag(help: "Print what becomes of every tensor, and merge nothing.") var plan = false
  @Option(help: "How many tensors to work on at once.  (default: the number of cores)") var threads: Int?
  @Option(
    help: ArgumentHelp("How much a file of the folder may hold, such as 500MB or 5GB.", valueName: "bytes"),
    transform: byteCount)
  var shardSize = 5_000_000_000
  @Flag(help: "Read the result again, compare it, and list SHA-256 sums in the card.") var verify = false
  @Flag(help: "Print every method with its parameters, and merge nothing.") var listMethods = false
  @Flag(help: "Replace the result if it exists.") var force = false
  @Flag(help: "Print what was done as JSON.") var json = false

  private var isMethodList: Bool { listMethods || words.first == "methods" }
  private var isRecipe: Bool { words.first.map { $0.hasSuffix(".yml") || $0.hasSuffix(".yaml") } ?? false }

  /// Everything that can be told without reading a file.
  func validate() throws {
    do {
      if isMethodList {
        for name in words.dropFirst(listMethods ? 0 : 1) {
          _ = try MergeMethod.named(name, among: DataMethod.declarations)
        }
        return
      }
      if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads must be within 1 … 1024") }
      if isRecipe {
        if let option = arguments.given.first {
          throw ValidationError("\(option) is for merges without a recipe; write it in \(words[0])")
        }
        guard words.count <= 2, words.count < 2 || output == nil else {
          throw ValidationError("a recipe and one place to write to are expected, not \(words.joined(separator: " "))")
        }
      } else if let run = try arguments.dataRun(words, data, output: target ?? "") {
        guard !check, !plan else {
          throw ValidationError("--check and --plan look at files' headers, and \(run.method.declaration.name) at data")
        }
        guard target != nil else { throw ValidationError("-o names the file to write; it is missing") }
        try run.check()
      } else {
        _ = try arguments.recipe(words)
        if let option = data.given.first {
          throw ValidationError("\(option) is for methods that look at data: \(Self.dataMethods)")
        }
      }
      guard target?.isEmpty != true else { throw ValidationError("-o is empty; it names the file or folder to write") }
      guard check || plan || target != nil else {
        throw ValidationError("-o names the \(isRecipe ? "folder" : "file or folder") to write; it is missing")
      }
    } catch let error as MergeError { throw ValidationError(error.description) }
  }

  private static var dataMethods: String { DataMethod.all.map(\.declaration.name).joined(separator: ", ") }

  private func merge(_ run: DataMergeRun) throws {
    guard force || !FileManager.default.fileExists(atPath: run.output) else {
      throw CheckpointError(run.output, "exists; add --force to replace it")
    }
    if let threads { Libtorch.setThreads(threads) }
    let summary = try run.run()
    if json { try printJSON(summary) } else { print(summary.text) }
  }

  private var target: String? { output ?? (isRecipe && words.count > 1 ? words[1] : nil) }

  func run() throws {
    if isMethodList { return try printMethods(Array(words.dropFirst(listMethods ? 0 : 1)), json: json) }
    if !isRecipe, let run = try arguments.dataRun(words, data, output: target ?? "") { return try merge(run) }
    let recipe: Recipe
    var folder = "."
    if isRecipe {
      guard let text = FileManager.default.contents(atPath: words[0]) else {
        throw CommandError("\(words[0]): cannot be read")
      }
      recipe = try Recipe(yaml: String(decoding: text, as: UTF8.self), file: words[0], methods: DataMethod.declarations)
      folder = URL(fileURLWithPath: words[0]).deletingLastPathComponent().path
      if let run = try DataMergeRun(recipe, relativeTo: folder, data, seed: arguments.seed, output: target ?? "") {
        guard !check, !plan, target != nil else {
          throw CommandError("\(recipe.method.name) looks at data: name the file to write, without --check and --plan")
        }
        try run.check()
        return try merge(run)
      }
      if let option = data.given.first {
        throw CommandError("\(option) is for methods that look at data, and \(recipe.method.name) does not")
      }
    } else {
      recipe = try arguments.recipe(words)
    }
    let made = try planned(recipe, relativeTo: folder)
    for note in made.notes { Terminal.writeError("note: \(note)\n") }
    if target?.hasSuffix(".safetensors") == true, recipe.tokenizer != nil || recipe.chatTemplate != nil {
      Terminal.writeError("note: a file holds weights alone; tokenizer and chat template come with a folder\n")
    }
    if let target { try made.check(output: target, replaces: force) }
    let threads = self.threads ?? ProcessInfo.processInfo.activeProcessorCount
    var summary = try MergeSummary(made, output: target, threads: threads, seed: arguments.seed)
    if plan { return try MergeListing(made).print(json: json) }
    guard !check, let target else {
      if json { return try printJSON(summary) }
      return print(
        "\(summary.text) fit together; the result takes \(byteText(made.byteCount)), working memory about "
          + "\(byteText(made.memory(threads: threads)))")
    }
    if target.hasSuffix(".safetensors") { try summary.addDigests(made, isRecipe ? nil : arguments.coefficients(words)) }
    var options = MergePlan.Options()
    (options.threads, options.shardSize, options.verifies, options.replaces) = (threads, shardSize, verify, force)
    options.metadata = try summary.metadata()
    let start = Date()
    try write(made, to: target, options)
    summary.seconds = Date().timeIntervalSince(start)
    if json { return try printJSON(summary) }
    print("\(target) = \(summary.text)\(verify ? ", read again and found as it should be" : "")")
  }

  private func planned(_ recipe: Recipe, relativeTo folder: String) throws -> MergePlan {
    do {
      return try MergePlan(recipe, relativeTo: folder, seed: arguments.seed)
    } catch let error as MergeError where isRecipe {
      // Of several recipes one has to know which.
      throw CommandError("\(words[0]): \(error)")
    }
  }

  /// Ctrl-C ends the merge after the pieces in work, and leaves nothing.
  private func write(_ plan: MergePlan, to target: String, _ options: MergePlan.Options) throws {
    let isStopped = Stop()
    let registered = DispatchSemaphore(value: 0)
    // A queue of its own: the global ones have no thread left while the merge keeps every core busy.
    let queue = DispatchQueue(label: "signals")
    let sources = [SIGINT, SIGTERM, SIGHUP].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler { isStopped.flag.store(true, ordering: .relaxed) }
      source.setRegistrationHandler { registered.signal() }
      source.resume()
      return source
    }
    // A signal that comes before its source listens would be lost.
    for _ in sources { _ = registered.wait(timeout: .now() + 1) }
    defer { for source in sources { source.cancel() } }
    let bar = Bar(Progress("merging", total: max(1, plan.byteCount >> 20)))
    do {
      try plan.write(
        to: target, options: options, progress: { bar.update($0 >> 20) },
        isCancelled: { isStopped.flag.load(ordering: .relaxed) })
    } catch is CancellationError {
      bar.finish()
      Terminal.writeError("stopped; nothing was written\n")
      throw ExitCode(130)
    } catch {
      bar.finish()
      throw error
    }
  }

  private final class Stop: Sendable { let flag = Atomic(false) }

  /// A bar that the engine's threads advance, one at a time.
  private final class Bar: @unchecked Sendable {
    private let progress: Progress
    init(_ progress: Progress) { self.progress = progress }
    // A merge of a moment needs none.
    private let start = Date()
    func update(_ done: Int) {
      if Date().timeIntervalSince(start) > 0.5 { progress.update(done, note: "MB") }
    }
    func finish() { if progress.done > 0 { progress.finish() } }
  }
}

/// Bytes as people write them: `500MB`, `5GB`, `5B` (mergekit's billion), `1000000`.
@Sendable func byteCount(_ text: String) throws -> Int {
  let units = ["": 1.0, "k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9, "b": 1e9, "t": 1e12, "tb": 1e12]
  let number = text.prefix { $0.isNumber || $0 == "." }
  let unit = text.dropFirst(number.count).trimmingCharacters(in: .whitespaces).lowercased()
  guard let value = Double(number), let factor = units[unit], value * factor >= 1, value * factor < 1e18 else {
    throw ValidationError("\(text) is no size; expected one such as 500MB or 5GB")
  }
  return Int(value * factor)
}
