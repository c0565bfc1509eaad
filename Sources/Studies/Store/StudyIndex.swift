import Foundation
import GRDB
import Support
import Synchronization

/// The file `index.sqlite` of a study folder: what its run folders hold, in a form that answers at once however long
/// the metrics are.
///
/// It is a cache and never the truth. Each run is stored with a stamp of its files and read again when the stamp
/// changes; a missing, damaged or outdated index is built anew, and where none can be written (a read-only folder) it
/// lives in memory. People may query it: `sqlite3 index.sqlite 'select * from results'`.
public final class StudyIndex: Sendable {
  /// What the index knows about a run without its rows.
  struct Entry {
    let record: RunRecord?
    let resultCount: Int
    let problem: String?
  }

  private static let version = 2
  private let runs: URL
  private let current: Mutex<DatabaseQueue>

  private var database: DatabaseQueue { current.withLock { $0 } }

  /// Opens the index of a study folder, building it anew if it cannot be used.
  public init(_ study: URL) throws {
    runs = study.appendingPathComponent("runs")
    let path = study.appendingPathComponent("index.sqlite").path
    if let found = try? Self.open(path) {
      current = Mutex(found)
    } else {
      for suffix in ["", "-journal", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
      current = Mutex(try (try? Self.open(path)) ?? Self.prepared(DatabaseQueue()))
    }
  }

  private static func open(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.busyMode = .timeout(5)
    configuration.acceptsDoubleQuotedStringLiterals = false
    let database = try DatabaseQueue(path: path, configuration: configuration)
    let isSound = try database.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") == "ok" }
    guard isSound else { throw DatabaseError(resultCode: .SQLITE_CORRUPT) }
    return try prepared(database)
  }

  private static func prepared(_ database: DatabaseQueue) throws -> DatabaseQueue {
    try database.write { db in
      let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
      if found != 0, found != version { throw DatabaseError(resultCode: .SQLITE_SCHEMA) }
      guard found == 0 else { return }
      try db.execute(
        sql: """
          CREATE TABLE run (id TEXT PRIMARY KEY, stamp TEXT NOT NULL, status TEXT, record TEXT, problem TEXT);
          CREATE TABLE result (run TEXT NOT NULL REFERENCES run ON DELETE CASCADE, position INT, row TEXT NOT NULL);
          CREATE TABLE noise (run TEXT NOT NULL REFERENCES run ON DELETE CASCADE, position INT, row TEXT NOT NULL);
          CREATE INDEX resultOfRun ON result (run);
          CREATE INDEX noiseOfRun ON noise (run);
          CREATE VIEW results AS SELECT run, \
          \(ResultRow.columns.map { "json_extract(row, '$.\($0)') AS \($0)" }.joined(separator: ", ")) FROM result;
          PRAGMA user_version = \(version);
          """)
    }
    return database
  }

  /// Reads again the runs whose files changed, and forgets those that are gone.
  public func refresh(_ ids: [String]) throws {
    do {
      try update(ids)
    } catch is DatabaseError {
      // A full disk or a folder that became read-only must not hide the results.
      let memory = try Self.prepared(DatabaseQueue())
      current.withLock { $0 = memory }
      try update(ids)
    }
  }

  private func update(_ ids: [String]) throws {
    let known = try database.read { db in
      try Row.fetchAll(db, sql: "SELECT id, stamp FROM run").reduce(into: [String: String]()) {
        $0[$1["id"]] = $1["stamp"]
      }
    }
    let stamps = ids.reduce(into: [String: String]()) { $0[$1] = stamp(of: $1) }
    let gone = known.keys.filter { stamps[$0] == nil }
    let changed = stamps.filter { known[$0.key] != $0.value }.keys.sorted()
    guard !gone.isEmpty || !changed.isEmpty else { return }
    try database.write { db in
      for id in gone { try db.execute(sql: "DELETE FROM run WHERE id = ?", arguments: [id]) }
      for id in changed { try store(id, stamp: stamps[id] ?? "", in: db) }
    }
  }

  private func stamp(of id: String) -> String? {
    let folder = runs.appendingPathComponent(id).path
    let parts = ["run.json", "results.jsonl", "metrics.jsonl"].map { FileStamp("\(folder)/\($0)")?.text }
    return parts.contains { $0 != nil } ? parts.map { $0 ?? "-" }.joined(separator: " ") : nil
  }

  private func store(_ id: String, stamp: String, in db: Database) throws {
    let folder = runs.appendingPathComponent(id)
    try db.execute(sql: "DELETE FROM run WHERE id = ?", arguments: [id])
    var (record, results, noise, problem): (RunRecord?, [ResultRow], [NoiseRow], String?) = (nil, [], [], nil)
    do {
      record = try RunRecord.read(folder)
      results = try RowFile.rows(ResultRow.self, in: folder.appendingPathComponent("results.jsonl"))
      let mark = Data("\"kind\":\"noise\"".utf8)
      noise = try RowFile.rows(NoiseRow.self, in: folder.appendingPathComponent("metrics.jsonl")) {
        $0.range(of: mark) != nil
      }
    } catch {
      problem = "\(error)"
    }
    try db.execute(
      sql: "INSERT INTO run VALUES (?, ?, ?, ?, ?)",
      arguments: [id, stamp, record?.status.name, try record.map { try Self.json($0) }, problem])
    for (position, row) in results.enumerated() {
      try db.execute(sql: "INSERT INTO result VALUES (?, ?, ?)", arguments: [id, position, try Self.json(row)])
    }
    for (position, row) in noise.enumerated() {
      try db.execute(sql: "INSERT INTO noise VALUES (?, ?, ?)", arguments: [id, position, try Self.json(row)])
    }
  }

  func entry(_ id: String) throws -> Entry? {
    try database.read { db in
      let sql = "SELECT record, problem, (SELECT count(*) FROM result WHERE run = id) AS count FROM run WHERE id = ?"
      guard let row = try Row.fetchOne(db, sql: sql, arguments: [id]) else { return nil }
      let text: String? = row["record"]
      return Entry(
        record: try text.map { try JSONDecoder.record.decode(RunRecord.self, from: Data($0.utf8)) },
        resultCount: row["count"], problem: row["problem"])
    }
  }

  func results(_ id: String) throws -> [ResultRow] { try rows(ResultRow.self, "result", id) }

  func noise(_ id: String) throws -> [NoiseRow] { try rows(NoiseRow.self, "noise", id) }

  private func rows<T: Decodable>(_ type: T.Type, _ table: String, _ id: String) throws -> [T] {
    let texts = try database.read { db in
      try String.fetchAll(db, sql: "SELECT row FROM \(table) WHERE run = ? ORDER BY position", arguments: [id])
    }
    let decoder = RowFile.makeDecoder()
    return try texts.map { try decoder.decode(T.self, from: Data($0.utf8)) }
  }

  private static func json(_ value: some Encodable) throws -> String {
    let encoder = RowFile.makeEncoder()
    if value is RunRecord { encoder.dateEncodingStrategy = .iso8601 }
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
