import ArgumentParser
import Checkpoints
import DataMerging
import Foundation
import Merging
import Support
import Synchronization
import Torch
import Workbench

/// `valley merge`: one set of weights from several.
struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Merge networks: by a recipe, or by a method named here.",
    discussion: """
      A recipe is mergekit's YAML. A model is a safetensors file, a folder in Hugging Face's layout, or a name that \
      the Hugging Face cache holds. The result is a folder in that layout (weights in shards, configuration, \
      tokenizer, card, recipe), or one file if OUT ends in .safetensors. It appears only when it is complete. Models \
      are read piece by piece, so memory does not grow with them. Arithmetic is in float32 and rounded once.

      --check reads only the files' headers and reports whether everything fits together; --plan shows what becomes of \
      every tensor. `valley merge search` finds the values of a recipe that give the best merge; it has its own options.

      BatchNorm statistics are merged like weights; re-estimate them afterwards (`valley eval --reestimate-batchnorm` \
      shows what that gains). `valley merge methods` describes every method, `valley merge methods ties` one.

      EXAMPLES
        valley merge recipe.yml out/merged --check
        valley merge recipe.yml out/merged
        valley merge ties A B --base C --density 0.5 -o out/merged
        valley merge slerp A B --set t=0.3 -o out/merged --threads 2
        valley merge linear a.safetensors b.safetensors --alpha 0.5 -o merged.safetensors
        valley merge a.safetensors b.safetensors c.safetensors --weights 0.2,0.3,0.5 -o soup.safetensors
        valley merge regmean a.safetensors b.safetensors --model resnet18 \\
          --data cifar10 --data svhn -o merged.safetensors
        valley merge greedy_soup out/*.safetensors --model resnet18 --data cifar10 --split test \\
          -o soup.safetensors
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
  @Flag(help: "Report whether everything fits together, and merge nothing.") var check = false
  @Flag(help: "Print what becomes of every tensor, and merge nothing.") var plan = false
  @Option(help: "How many tensors to work on at once.  (default: the number of cores)") var threads: Int?
  @Option(
    help: ArgumentHelp("The largest size of one file in the folder, such as 500MB or 5GB.", valueName: "bytes"),
    transform: byteCount)
  var shardSize = 5_000_000_000
  @Flag(help: "Read the result again, compare it, and list SHA-256 sums in the card.") var verify = false
  @Flag(help: "Print every method with its parameters, and merge nothing.") var listMethods = false
  @Flag(help: "Replace the result if it exists.") var force = false
  @Flag(help: "Print a summary as JSON.") var json = false

  private var isMethodList: Bool { listMethods || words.first == "methods" }
  private var isRecipe: Bool { words.first.map { $0.hasSuffix(".yml") || $0.hasSuffix(".yaml") } ?? false }
  private var listed: [String] { Array(words.dropFirst(listMethods ? 0 : 1)) }
  private var target: String? { output ?? (isRecipe && words.count > 1 ? words[1] : nil) }

  /// Everything that can be told without reading a file.
  func validate() throws { try validating { try validateWords() } }

  private func validateWords() throws {
    if isMethodList {
      for name in listed { _ = try MergeMethod.named(name, among: DataMethod.declarations) }
      return
    }
    try validateThreads(threads)
    if isRecipe {
      if let option = arguments.given.first {
        throw ValidationError("\(option) is for merges without a recipe; write it in \(words[0])")
      }
      guard words.count <= 2, words.count < 2 || output == nil else {
        throw ValidationError("expected a recipe and one place to write to, not \(words.joined(separator: " "))")
      }
    } else if let merge = try arguments.dataMerge(words, data) {
      guard !check, !plan else {
        throw ValidationError(
          "--check and --plan look only at files' headers, but \(merge.method.declaration.name) looks at data")
      }
      guard let target else { throw ValidationError("-o is missing; it names the file to write") }
      try merge.check(output: target)
    } else {
      _ = try arguments.recipe(words)
      if let option = data.given.first {
        let names = DataMethod.all.map(\.declaration.name).joined(separator: ", ")
        throw ValidationError("\(option) is for methods that look at data: \(names)")
      }
    }
    guard target?.isEmpty != true else { throw ValidationError("-o is empty; it names the file or folder to write") }
    guard check || plan || target != nil else {
      throw ValidationError("-o is missing; it names the \(isRecipe ? "folder" : "file or folder") to write")
    }
  }

  func run() throws {
    if isMethodList { return try printMethods(listed, json: json) }
    if !isRecipe, let merge = try arguments.dataMerge(words, data), let target { return try write(merge, to: target) }
    let recipe: Recipe
    var folder = "."
    if isRecipe {
      recipe = try readRecipe()
      folder = URL(fileURLWithPath: words[0]).deletingLastPathComponent().path
      if let merge = try dataMerge(recipe, relativeTo: folder) {
        guard !check, !plan, let target else {
          throw CommandError("\(recipe.method.name) looks at data: name the file to write, without --check and --plan")
        }
        return try write(merge, to: target)
      }
      if let option = data.given.first {
        throw CommandError("\(option) is for methods that look at data, which \(recipe.method.name) does not do")
      }
    } else {
      recipe = try arguments.recipe(words)
    }
    try merge(recipe, relativeTo: folder)
  }

  // MARK: Methods that look at data

  private func dataMerge(_ recipe: Recipe, relativeTo folder: String) throws -> CheckpointDataMerge? {
    var merge = try CheckpointDataMerge(
      recipe, relativeTo: folder, from: data.source(), datasets: data.datasets)
    merge?.split = data.split
    merge?.reestimateBatchNorm = data.batchNorm.policy
    merge?.seed = arguments.seed
    return merge
  }

  private func write(_ merge: CheckpointDataMerge, to target: String) throws {
    try requireAbsent(target, unless: force)
    if let threads { Libtorch.setThreads(threads) }
    let summary = try merge.merge(to: target, report: Reporter().listener)
    if json { try printJSON(summary) } else { print(summary.text) }
  }

  // MARK: Methods that look at weights alone

  private func readRecipe() throws -> Recipe {
    guard let text = FileManager.default.contents(atPath: words[0]) else {
      throw CommandError("\(words[0]): cannot be read")
    }
    return try Recipe(yaml: String(decoding: text, as: UTF8.self), file: words[0], methods: DataMethod.declarations)
  }

  private func merge(_ recipe: Recipe, relativeTo folder: String) throws {
    let made = try planned(recipe, relativeTo: folder)
    for note in made.notes { Terminal.writeError("note: \(note)\n") }
    if target?.hasSuffix(".safetensors") == true, recipe.tokenizer != nil || recipe.chatTemplate != nil {
      Terminal.writeError("note: a file holds only weights; for tokenizer and chat template write a folder\n")
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
    print("\(target) = \(summary.text)\(verify ? ", read again and found correct" : "")")
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
    let stop = StopRequest()
    let signals = StopSignals { stop.request() }
    defer { signals.cancel() }
    let (report, total) = (Reporter(), max(1, plan.byteCount >> 20))
    do {
      try plan.write(
        to: target, options: options, progress: { report.show("merging", $0 >> 20, of: total, "MB") },
        isCancelled: { stop.isRequested })
    } catch is CancellationError {
      report.finish()
      Terminal.writeError("stopped; nothing was written\n")
      throw ExitCode(130)
    }
  }
}

/// Bytes as people write them: `500MB`, `5GB`, `5B` (mergekit's billion), `1000000`.
@Sendable func byteCount(_ text: String) throws -> Int {
  let units = ["": 1.0, "k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9, "b": 1e9, "t": 1e12, "tb": 1e12]
  let number = text.prefix { $0.isNumber || $0 == "." }
  let unit = text.dropFirst(number.count).trimmingCharacters(in: .whitespaces).lowercased()
  guard let value = Double(number), let factor = units[unit], value * factor >= 1, value * factor < 1e18 else {
    throw ValidationError("\(text) is not a size; expected one such as 500MB or 5GB")
  }
  return Int(value * factor)
}
