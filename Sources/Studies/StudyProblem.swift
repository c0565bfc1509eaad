import YAML

/// One thing wrong with a study file.
public typealias StudyProblem = YAMLProblem

/// A study file that cannot be used, with everything that is wrong with it.
public typealias StudyFileError = YAMLFileError
