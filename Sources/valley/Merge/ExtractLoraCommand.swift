import ArgumentParser
import Checkpoints
import Foundation
import Merging
import Support
import Torch

/// `valley extract-lora`: a fine-tune as an adapter.
struct ExtractLoraCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extract-lora",
    abstract: "Make a low-rank adapter in PEFT's layout from what a fine-tune changed.",
    discussion: """
      The change W − W₀ of each matrix becomes B A, the nearest matrix of the given rank (by singular value \
      decomposition); norms and biases that changed are stored whole. Prints how much each tensor loses: error is \
      ‖(W − W₀) − B A‖ / ‖W − W₀‖. A recipe takes the adapter as `model: BASE+OUT`, and PEFT loads it.

      EXAMPLES
        valley extract-lora finetuned base -o out/lora --rank 16
        valley extract-lora finetuned base -o out/lora --rank 64 --dtype bfloat16 --json
        valley diff base finetuned --spectrum           # which rank is enough
        valley merge linear base+out/lora base -o out/half
      """)

  @Argument(help: "The fine-tuned model.") var model: String
  @Argument(help: "The model it was fine-tuned from.") var base: String
  @Option(name: .shortAndLong, help: "The folder to write.") var output: String
  @Option(help: "The rank of each matrix's change.") var rank = 16
  @Option(help: "The type of the adapter's numbers: float32, bfloat16 or float16.") var dtype = "float32"
  @Flag(help: "Replace the folder if it exists.") var force = false
  @Flag(help: "Print JSON.") var json = false

  private static let types: [String: DType] = ["float32": .float32, "bfloat16": .bfloat16, "float16": .float16]

  func validate() throws {
    guard (1...65536).contains(rank) else { throw ValidationError("--rank is \(rank); expected 1 … 65536") }
    guard Self.types[dtype] != nil else {
      throw ValidationError("--dtype is \(dtype); expected float32, bfloat16 or float16")
    }
  }

  private struct Listing: Encodable {
    let output: String
    let rank: Int
    let error: Double
    let tensors: [LoraExtraction.Row]
  }

  func run() throws {
    try requireAbsent(output, unless: force)
    let (tuned, start) = try (Checkpoint.read(model), Checkpoint.read(base))
    let (report, total) = (Reporter(), tuned.weights.count)
    let lora = try LoraExtraction(
      tuned.weights, base: start.weights, rank: rank, dtype: Self.types[dtype] ?? .float32,
      isTransposed: Self.keepsTransposed(start), progress: { report.show("decomposing", $0, of: total) })
    try lora.write(to: output, base: base, replaces: force)
    let isTied = !tuned.weights.names.contains { $0.hasSuffix("lm_head.weight") || $0.hasSuffix("embed_out.weight") }
    if isTied, lora.rows.contains(where: { $0.kind == .adapted && Self.isEmbedding($0.name) }) {
      Terminal.writeError(
        "note: there is no head beside the embedding; if they are tied, recipes change both, PEFT only the embedding\n"
      )
    }
    if json {
      return try printJSON(Listing(output: output, rank: rank, error: lora.error, tensors: lora.rows))
    }
    var table = TextTable(["tensor", "shape", "", "rank", "‖change‖", "error"])
    table.rows = lora.rows.map { row in
      [
        row.name, row.shape.map(String.init).joined(separator: " × "), row.kind.rawValue,
        row.kind == .adapted ? "\(row.rank)" : "", row.kind == .unchanged ? "" : String(format: "%.4g", row.change),
        row.kind == .adapted ? String(format: "%.2f %%", 100 * row.error) : "",
      ]
    }
    print(table.text)
    print("")
    print("\(output): \(String(format: "%.2f %%", 100 * lora.error)) of the change is left out at rank \(rank)")
  }

  private static func isEmbedding(_ name: String) -> Bool { name.contains("embed_tokens") || name.contains("wte") }

  /// GPT-2's linear layers keep their weights transposed.
  private static func keepsTransposed(_ checkpoint: Checkpoint) -> Bool {
    let names = checkpoint.weights.names
    return names.contains { $0.hasSuffix("attn.c_attn.weight") } && names.contains { $0.hasSuffix("wte.weight") }
  }
}
