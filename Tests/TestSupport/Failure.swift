/// What an error of this type that `body` throws says; otherwise what happened instead.
public func failure<Failure: Error>(of type: Failure.Type, _ body: () throws -> some Any) -> String {
  do { return "no error but \(try body())" } catch {
    return error is Failure ? "\(error)" : "another error: \(error)"
  }
}
