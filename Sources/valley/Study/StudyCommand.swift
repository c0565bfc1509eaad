import ArgumentParser

/// `valley study`: plan, run and look at studies.
struct StudyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "study",
    abstract: "Plan, run and look at studies: grids of runs declared in a YAML file.",
    discussion: """
      A study's folder holds study.yaml, runs/<id>/ for each run, and an index that can be rebuilt from them.

      The paper's figures come with Valley as studies: `valley study list` shows them, and their names stand for their \
      files.

      EXAMPLES
        valley study list
        valley study plan fig1 --scale smoke
        valley study run studies/demo.yaml --jobs 2
        valley study status out/demo
        valley study export out/demo --csv -o demo.csv
      """,
    subcommands: [
      StudyPlanCommand.self, StudyRunCommand.self, StudyStatusCommand.self, StudyListCommand.self,
      StudyKeysCommand.self, StudyExportCommand.self, StudyEnsembleCommand.self, StudyFiguresCommand.self,
    ])
}
