/// What a command cannot do, found out after its arguments were understood: no word about usage would help.
struct CommandError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
