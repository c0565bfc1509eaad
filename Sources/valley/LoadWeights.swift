import Checkpoints
import Networks
import Studies
import Support
import Torch

extension RunConfiguration {
  /// Puts a network of this configuration at the weights of a file, on the device and laid out as the network was.
  /// - Returns: what was done, one sentence each.
  func load(_ file: Checkpoint, into network: any Module, on device: Device) throws -> [String] {
    let messages: [String]
    do {
      messages = try network.loadPretrained(file.weights, head: .kept)
    } catch let error as CheckpointError {
      throw CheckpointError(
        file.path,
        "\(error.message)\nThe network is \(value(at: "model") ?? ""); name another with --model and --set model.…=…")
    }
    try network.move(to: device, format: .channelsLast)
    return file.notes + messages
  }
}
