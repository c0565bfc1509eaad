import Torch

/// A layer whose outputs are linear in what it is given: a matrix product, or a convolution, which is one on the
/// patches that its kernel sees.
public struct LinearLayer {
  /// How a module's work is a matrix product.
  struct Form {
    /// The weight's name within the module.
    var weight = "weight"
    var isTransposed = false
    /// Of a convolution: what makes its input a matrix.
    var patches: (kernel: [Int], stride: Int, padding: Int)?
  }

  /// As in an `Observation`: `layer1.0.conv1`.
  public let name: String
  fileprivate let form: Form

  /// The name of its weight.
  public var weight: String { name.isEmpty ? form.weight : "\(name).\(form.weight)" }
  /// Whether the weight is [inputs, outputs], as GPT-2 has it, instead of [outputs, inputs, …].
  public var isTransposed: Bool { form.isTransposed }

  /// What the layer was given as rows, each of which makes the outputs at one place: [n, inputs].
  public func rows(_ input: Tensor) throws -> Tensor {
    guard let patches = form.patches else { return try input.reshape([-1, input.size(-1)]) }
    let columns = try input.unfold(
      patches.kernel, stride: [patches.stride, patches.stride], padding: [patches.padding, patches.padding])
    return try columns.transpose(1, 2).reshape([-1, columns.size(1)])
  }
}

/// A module that may be a linear layer.
protocol LinearModule: Module {
  /// nil: it is none.
  var linearForm: LinearLayer.Form? { get }
}

extension Module {
  /// The network's linear layers and its convolutions without groups, in the order of declaration.
  public func linearLayers() -> [LinearLayer] {
    var found: [LinearLayer] = []
    visit(
      self,
      module: { name, module in
        guard let form = (module as? any LinearModule)?.linearForm else { return }
        found.append(LinearLayer(name: name, form: form))
      })
    return found
  }
}
