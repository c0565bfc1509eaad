import ArgumentParser
import Datasets
import Foundation
import Reports
import Studies
import Support
import Torch
import Workbench

/// `valley doctor`: whether this machine has what Valley needs.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check libtorch, the figure renderer, data and disk, and tell how to fix what is broken.",
    discussion: """
      The exit code is 1 if something required is broken; missing optional parts only give a note.

      EXAMPLES
        valley doctor
        valley doctor --json | jq '.checks[] | select(.state != "ok")'
      """)

  @Flag(help: "Print JSON.") var json = false

  enum State: String, Encodable { case ok, note, broken }

  struct Check: Encodable {
    var subject: String
    var state: State
    var finding: String
    /// What to do about it.
    var remedy: String?
  }

  struct Summary: Encodable {
    var valley: String
    var isSound: Bool
    var checks: [Check]
  }

  func run() throws {
    let checks =
      [Self.torch()] + (Libtorch.trouble == nil ? [Self.devices(), Self.training()] : [])
      + [Self.renderer(), Self.browser(), Self.pictures()]
      + Self.datasets() + [Self.disk()]
    let isSound = !checks.contains { $0.state == .broken }
    if json {
      try printJSON(Summary(valley: valleyVersion, isSound: isSound, checks: checks))
    } else {
      let width = checks.map(\.subject.count).max() ?? 0
      for check in checks {
        let (mark, colour) = check.state == .ok ? ("✓", 32) : check.state == .note ? ("–", 33) : ("✗", 31)
        print(
          "\(Terminal.colour(mark, colour)) "
            + check.subject.padding(toLength: width + 2, withPad: " ", startingAt: 0) + check.finding)
        if let remedy = check.remedy { print(String(repeating: " ", count: width + 4) + "→ \(remedy)") }
      }
    }
    if !isSound { throw ExitCode(1) }
  }

  private static func torch() -> Check {
    if let trouble = Libtorch.trouble {
      return Check(
        subject: "libtorch", state: .broken, finding: trouble, remedy: "run `make bootstrap`, then build again")
    }
    return Check(
      subject: "libtorch", state: .ok,
      finding: "\(Libtorch.version), \(Libtorch.cpuCapability) on \(Machine.processorName), \(Libtorch.threads) threads"
    )
  }

  private static func devices() -> Check {
    let count = Device.cudaCount
    return Check(
      subject: "GPU", state: count > 0 ? .ok : .note,
      finding: count > 0
        ? counted(count, "CUDA device")
        : "none that libtorch can use; everything runs on the CPU",
      remedy: count > 0
        ? nil : "only with an NVIDIA GPU: install PyTorch with CUDA and run `TORCH_PYTHON=python3 make bootstrap`")
  }

  /// One step of a tiny run, by way of everything that a real one uses, in which the loss must fall.
  private static func training() -> Check {
    let clock = ContinuousClock()
    do {
      var losses: [Double] = []
      let time = try clock.measure {
        let input = try Tensor((0..<64).map { Float($0 % 7) - 3 }, shape: [16, 4])
        let labels = try Tensor((0..<16).map { Int64($0 % 2) }, shape: [16])
        let weight = try Tensor.zeros([2, 4])
        try weight.setRequiresGradient(true)
        for _ in 0..<2 {
          let loss = try input.matmul(weight.transpose(0, 1)).crossEntropy(labels)
          losses.append(try loss.item())
          let gradient = try gradients(of: loss, withRespectTo: [weight])[0]
          _ = try withoutGradients { try weight.addInPlace(gradient, scale: -0.1) }
        }
      }
      guard losses[1] < losses[0] else {
        return Check(
          subject: "training", state: .broken, finding: "a step raised the loss from \(losses[0]) to \(losses[1])",
          remedy: "this libtorch computes wrong results; remove .libtorch and run `make bootstrap`")
      }
      let milliseconds = Double(time.components.attoseconds) * 1e-15 + Double(time.components.seconds) * 1e3
      return Check(
        subject: "training", state: .ok, finding: String(format: "a tiny step lowers the loss (%.0f ms)", milliseconds))
    } catch {
      return Check(
        subject: "training", state: .broken, finding: "\(error)",
        remedy: "remove .libtorch and run `make bootstrap`, then build again")
    }
  }

  private static func renderer() -> Check {
    let remedy = "run `make bootstrap`, or set VALLEY_RENDERER to a Python that has vl-convert-python"
    let renderer = Renderer()
    guard renderer.isPresent else {
      return Check(subject: "renderer", state: .broken, finding: "no Python at \(renderer.python.path)", remedy: remedy)
    }
    let process = Process()
    process.executableURL = renderer.python
    process.arguments = ["-I", "-c", "import vl_convert; print(vl_convert.__version__)"]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    let version =
      (try? process.run()).flatMap { try? output.fileHandleForReading.readToEnd() }
      .map { String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines) } ?? ""
    if process.isRunning { process.waitUntilExit() }
    guard !version.isEmpty else {
      return Check(
        subject: "renderer", state: .broken, finding: "\(renderer.python.path) has no vl_convert", remedy: remedy)
    }
    return Check(subject: "renderer", state: .ok, finding: "vl-convert \(version) in \(renderer.python.path)")
  }

  private static func browser() -> Check {
    let names = ["chromium-headless-shell", "chromium", "chrome-headless-shell", "google-chrome"]
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    for name in names {
      for folder in folders where FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)") {
        return Check(subject: "browser", state: .ok, finding: "\(folder)/\(name)")
      }
    }
    return Check(
      subject: "browser", state: .note, finding: "no Chromium; only a test of the report's page uses it",
      remedy: "apt-get install chromium-headless-shell")
  }

  /// Whether the libraries that decode pictures work.
  private static func pictures() -> Check {
    do {
      try PictureSelfTest.run()
      return Check(subject: "pictures", state: .ok, finding: "libjpeg-turbo and libpng decode")
    } catch {
      return Check(
        subject: "pictures", state: .broken, finding: "\(error)",
        remedy: "apt-get install libturbojpeg0-dev libpng-dev zlib1g-dev, then build again")
    }
  }

  private static func datasets() -> [Check] {
    KnownDataset.allCases.filter { $0 != .glyphs && !$0.isOwn && !$0.isText }.map { dataset in
      let isPresent = KnownDataset.recognise(dataset.usualFolder) != nil
      return Check(
        subject: dataset.rawValue, state: isPresent ? .ok : .note,
        finding: isPresent ? dataset.usualFolder.path : "not in \(dataset.usualFolder.path)",
        remedy: isPresent ? nil : dataset.origin ?? "valley data fetch \(dataset.rawValue)")
    }
  }

  private static func disk() -> Check {
    let folder = FileManager.default.currentDirectoryPath
    let free = (try? FileManager.default.attributesOfFileSystem(forPath: folder))?[.systemFreeSize] as? NSNumber
    guard let free else {
      return Check(subject: "disk", state: .note, finding: "cannot tell how much space is free in \(folder)")
    }
    let gigabytes = free.doubleValue / 1e9
    return Check(
      subject: "disk", state: gigabytes < 0.1 ? .broken : gigabytes < 2 ? .note : .ok,
      finding: String(format: "%.1f GB free in %@", gigabytes, folder),
      remedy: gigabytes < 2 ? "free some space, or run where there is more" : nil)
  }
}
