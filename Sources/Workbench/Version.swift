import Studies

/// The version of Valley.
public let valleyVersion = "0.1.0"

extension RunRecord.Versions {
  /// The software and machine that this process runs on. Loads libtorch.
  public static var current: RunRecord.Versions {
    RunRecord.Versions(valley: valleyVersion)
  }
}
