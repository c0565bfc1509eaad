import DataMerging
import Merging
import Workbench

extension CheckpointDataMerge.Summary {
  /// `fisher(a, b, examples=256): 62 tensors, 11173962 numbers`, and what was found, a line each.
  var text: String {
    let declared = (try? MergeMethod.named(method, among: DataMethod.declarations))?.parameters ?? []
    let values = declared.compactMap { parameter -> String? in
      guard let values = settings[parameter.name] else { return nil }
      let shown = Set(values).count == 1 ? Array(values.prefix(1)) : values
      return "\(parameter.name)=" + shown.map { parameter.text(of: $0) }.joined(separator: ",")
    }
    let parts = inputs.map { "\($0.file) on \($0.data)" } + (base.map { ["base=\($0)"] } ?? []) + values
    let lines = ["\(output) = \(method)(\(parts.joined(separator: ", "))): \(tensors) tensors, \(parameters) numbers"]
    return (lines + notes).joined(separator: "\n")
  }
}
