import Checkpoints
import Datasets
import Networks
import Torch
import Weights

/// The Gram matrices XᵀX / n of what a network's linear layers and convolutions are given, by the name of the layer's
/// weight. A convolution is a linear layer on the patches that its kernel sees; grouped convolutions are left out.
struct LayerInputs {
  /// [inputs, inputs] in float64, in the order in which the network first uses the layers.
  private(set) var grams = Weights()

  /// - Parameters:
  ///   - examples: places in the source
  ///   - isWanted: by the weight's name
  init(
    of network: any Module, on source: any ExampleSource, examples: [Int], isWanted: (String) -> Bool = { _ in true }
  ) throws {
    let layers = network.linearLayers().filter { isWanted($0.weight) }
    var sums: [(weight: String, gram: Tensor, rows: Int)] = []
    try withoutGradients {
      // Few at a time: the patches of a convolution take many times the memory of its input.
      for start in stride(from: 0, to: examples.count, by: 16) {
        let inputs = try source.inputs(at: Array(examples[start..<min(start + 16, examples.count)]))
        try network.observing(layers.map(\.name)) { seen in
          guard let layer = layers.first(where: { $0.name == seen.name }) else { return }
          let rows = try layer.rows(seen.input.to(.float64))
          let gram = try rows.transpose().matmul(rows)
          if let place = sums.firstIndex(where: { $0.weight == layer.weight }) {
            try sums[place].gram.addInPlace(gram)
            sums[place].rows += rows.shape[0]
          } else {
            sums.append((layer.weight, gram, rows.shape[0]))
          }
        } during: {
          _ = try network(inputs, .evaluation)
        }
      }
      grams = try Weights(sums.map { ($0.weight, try $0.gram / Double(max(1, $0.rows))) })
    }
  }
}
