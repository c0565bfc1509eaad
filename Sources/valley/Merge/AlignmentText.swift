import Foundation
import Workbench

extension AlignmentSummary {
  /// What aligning found, for people.
  var text: String {
    var lines = networks.map(text)
    if let spread, let formerSpread, let rounds {
      lines.append(
        String(format: "distance from the mean %.6g (before %.6g) after %d rounds", spread, formerSpread, rounds))
    }
    if !paths.isEmpty { lines += ["", table] }
    if let measured { lines.append(measured) }
    if let merged { lines.append("\(merged): the mean of the aligned networks") }
    return lines.joined(separator: "\n")
  }

  private func text(_ network: Network) -> String {
    var text = "\(network.output ?? network.file): \(network.moved) of \(units) units in \(groups) groups moved"
    if let sweeps = network.sweeps {
      text += " in \(sweeps) sweeps" + (network.isConverged == false ? ", not converged: raise --sweeps" : "")
    }
    if let objective = network.objective, let former = network.formerObjective, let distance = network.distance,
      let formerDistance = network.formerDistance
    {
      text += String(
        format: "\n  objective %.6g (before %.6g), distance from the reference %.6g (%.6g)", objective, former,
        distance, formerDistance)
    }
    if let correlation = network.correlation, let former = network.formerCorrelation {
      text += String(format: "\n  correlation of matched units %.4f (before %.4f)", correlation, former)
    }
    if let loss = network.loss, let former = network.formerLoss {
      text += String(format: "\n  training loss of the midpoint %.4f (by weights alone %.4f)", loss, former)
    }
    return text
  }

  private var table: String {
    func number(_ value: Double?, _ format: String, times: Double = 1) -> String {
      value.map { String(format: format, $0 * times) } ?? ""
    }
    let hasTrain = paths.contains { $0.trainBarrier != nil }
    let hasTest = paths.contains { $0.testBarrier != nil }
    var table = TextTable(
      ["to", "path"] + (hasTrain ? ["train barrier", "train middle"] : [])
        + (hasTest ? ["test barrier", "test middle", "ends"] : []))
    table.rows = paths.map { path in
      let middle = path.measures[path.measures.count / 2]
      let ends = [path.measures.first, path.measures.last].map { number($0?.test?.accuracy, "%.1f", times: 100) }
      return [path.to, path.state]
        + (hasTrain
          ? [number(path.trainBarrier, "%.4f"), number(middle.train?.accuracy, "%.2f %%", times: 100)] : [])
        + (hasTest
          ? [
            number(path.testBarrier, "%.4f"), number(middle.test?.accuracy, "%.2f %%", times: 100),
            ends.joined(separator: ", ") + " %",
          ] : [])
    }
    return table.text
  }
}
