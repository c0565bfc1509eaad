import Foundation

#if canImport(CryptoKit)
  import CryptoKit
#else
  import CCrypto
#endif

/// A checksum taken piece by piece by the system's library (OpenSSL's libcrypto, CryptoKit on macOS).
///
///     let digest = Digest(.sha256)
///     digest.update(Data("abc".utf8))
///     digest.finish().hexadecimal  // ba7816bf…
public final class Digest {
  /// SHA-256 identifies content. MD5 only checks downloads whose publisher states nothing better.
  public enum Function: Sendable { case sha256, md5 }

  #if canImport(CryptoKit)
    private var function: any HashFunction

    /// A digest of no bytes so far.
    public init(_ function: Function = .sha256) {
      self.function = function == .sha256 ? SHA256() : Insecure.MD5()
    }

    /// Takes in more bytes.
    public func update(_ bytes: UnsafeRawBufferPointer) { function.update(bufferPointer: bytes) }

    /// The checksum: 32 bytes for SHA-256, 16 for MD5.
    public func finish() -> [UInt8] { Array(function.finalize()) }
  #else
    private let context = EVP_MD_CTX_new()

    /// A digest of no bytes so far.
    public init(_ function: Function = .sha256) {
      EVP_DigestInit_ex(context, function == .sha256 ? EVP_sha256() : EVP_md5(), nil)
    }

    /// Takes in more bytes.
    public func update(_ bytes: UnsafeRawBufferPointer) {
      EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// The checksum: 32 bytes for SHA-256, 16 for MD5. It is empty if the system forbids the function, as some do with
    /// MD5.
    public func finish() -> [UInt8] {
      var length: UInt32 = 0
      var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
      let isDone = EVP_DigestFinal_ex(context, &bytes, &length) == 1
      return isDone ? Array(bytes.prefix(Int(length))) : []
    }

    deinit { EVP_MD_CTX_free(context) }
  #endif

  /// Takes in more bytes.
  public func update(_ bytes: some ContiguousBytes) { bytes.withUnsafeBytes { update($0) } }

  /// The SHA-256 of some bytes.
  public static func sha256(_ bytes: some ContiguousBytes) -> [UInt8] {
    let digest = Digest(.sha256)
    digest.update(bytes)
    return digest.finish()
  }

  /// The checksum of a file, read piece by piece.
  ///
  /// - Throws: `FileError` for a file that cannot be read.
  public static func of(file path: String, _ function: Function = .sha256) throws -> [UInt8] {
    guard let file = FileHandle(forReadingAtPath: path) else { throw FileError(path, "cannot be read") }
    defer { try? file.close() }
    let digest = Digest(function)
    do {
      while let piece = try file.read(upToCount: 4 << 20), !piece.isEmpty { digest.update(piece) }
    } catch {
      throw FileError(path, "cannot be read: \(systemMessage(posixCode(error)))")
    }
    return digest.finish()
  }
}

extension Sequence<UInt8> {
  /// Two hexadecimal digits for each byte, in lower case.
  public var hexadecimal: String { map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() }
}
