import ArgumentParser

/// `valley data`: the datasets there are, whether their files are sound, and fetching them.
struct DataCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "List, check and fetch datasets.",
    discussion: """
      Files live in $VALLEY_DATA, or in ~/.cache/valley/data if it is not set, one folder per dataset. Pictures that \
      come as single files are decoded once, into a folder `cache` beside them. It can be deleted whenever nothing is \
      training.

      EXAMPLES
        valley data list
        valley data fetch cifar10
        valley data check cifar10
        valley data check ~/downloads/cifar-10-batches-bin
        valley data check ~/pictures                     # a folder of JPEG or PNG files for each class
      """,
    subcommands: [DataListCommand.self, DataCheckCommand.self, DataFetchCommand.self])
}
