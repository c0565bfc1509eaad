import Checkpoints
import Networks
import Studies
import Support
import Torch

extension RunConfiguration {
  /// Loads the weights of a file into a network of this configuration, on the device and laid out as the network was.
  /// - Throws: `WorkbenchError` for weights of another network.
  func load(_ file: Checkpoint, into network: any Module, on device: Device, report: News.Listener) throws {
    do {
      for message in try file.notes + network.loadPretrained(file.weights, head: .kept) {
        report(.note("\(file.path): \(message)"))
      }
    } catch let error as FileError {
      throw WorkbenchError(
        "\(file.path): \(error.message)\n"
          + "The network is \(value(at: "model") ?? ""); name another with `model.name` and `model.…`.")
    }
    try network.move(to: device, format: .channelsLast)
  }
}
