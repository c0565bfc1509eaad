import Alignment
import ArgumentParser
import Datasets
import Landscape
import Merging
import Reports
import Search
import Studies
import Workbench

extension AlignmentMethod: ExpressibleByArgument {}
extension AlignmentReference: ExpressibleByArgument {}
extension BatchNormPolicy: ExpressibleByArgument {
  /// The policy that an option spells.
  public init?(argument: String) { self.init(argument) }
  /// As help shows a default.
  public var defaultValueDescription: String { text }
}
extension Measuring.Part: ExpressibleByArgument {}
extension MergeSearch.Metric: ExpressibleByArgument {}
extension MergeSelection.Checkpoints: ExpressibleByArgument {}
extension Minimiser.Algorithm: ExpressibleByArgument {}
extension Recipe.MissingTensors: ExpressibleByArgument {}
extension Repair.Form: ExpressibleByArgument {}
extension Split: ExpressibleByArgument {}
extension StudyScale: ExpressibleByArgument {}
