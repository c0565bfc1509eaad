import Studies

extension RunRecord.Versions {
  /// What runs are performed with just now.
  static var current: Self { Self(valley: Valley.configuration.version) }
}
