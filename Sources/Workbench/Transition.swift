import Datasets
import Foundation
import Landscape
import Reports

/// From which branch epoch on there is a valley between endpoints: what `TransitionFinder` finds.
public struct Transition: Encodable, Sendable {
  /// What was found at one branch point.
  public struct Branch: Encodable, Sendable {
    /// The branch epoch
    public var epoch: Double
    /// Loss in the middle above the mean of the ends, nats, over all pairs and seeds
    public var height: Estimate
    /// `hill` or `valley`, and whether that is not significant
    public var verdict: String
    /// Optimizer steps of its runs, all seeds together
    public var steps: Int
    /// Between the endpoints of every run
    public var paths: [Path]

    /// `height +0.1234 nats (95 % +0.1 … +0.2), hill`
    var words: String {
      let interval = height.lower.flatMap { lower in
        height.upper.map { String(format: " (95 %% %+.4f … %+.4f)", lower, $0) }
      }
      return String(format: "height %+.4f nats", height.value) + (interval ?? "") + ", \(verdict)"
    }
  }

  /// The line between two endpoints of one run.
  public struct Path: Encodable, Sendable {
    /// Of the run
    public var seed: Int
    /// The two, by number
    public var endpoints: [Int]
    /// Loss and accuracy at each point
    public var measure: PathMeasure
    /// Loss in the middle above the mean of the ends, nats
    public var height: Double
  }

  /// Its name
  public var study: String
  /// For captions
  public var setting: String
  /// The schedule's length, epochs
  public var budgetEpochs: Double
  /// The one whose loss told hill from valley
  public var split: Split
  /// Whether there is a crossing
  public var outcome: TransitionSearch.Outcome
  /// The last hill and the first valley; the same twice where there is no crossing
  public var transitionEpochs: [Double]
  /// Optimizer steps that were trained, and those that all branch points would have taken
  public var trainedSteps, sweepSteps: Int
  /// Those that were looked at, by epoch
  public var branches: [Branch]
}

/// An epoch for people: `2.5`
func short(_ epoch: Double) -> String { String(format: "%.4g", epoch) }
