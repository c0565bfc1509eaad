import YAML

/// One thing wrong with a study file.
public typealias StudyProblem = YAMLProblem

/// A study file that cannot be used, with everything that is wrong with it.
public typealias StudyFileError = YAMLFileError

/// The name among `names` that `word` was probably meant to be.
func closest(to word: String, in names: [String]) -> String? { YAML.closest(to: word, in: names) }
