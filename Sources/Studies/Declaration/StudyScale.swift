/// How large a study is run: a study's file says under `scales` what each changes.
public enum StudyScale: String, Codable, CaseIterable, Sendable {
  /// minutes on two processor cores, on small or generated data
  case smoke
  /// hours on one GPU
  case small
  /// as published
  case paper
}
