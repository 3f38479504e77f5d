import SuperviseCore
import SuperviseSettings

/// Arbitrary bytes as a configuration file: parsing returns a configuration or problems and never
/// traps. A configuration can be printed and parsed again, which a reload depends on.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzConfig(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    let files = FileAccess(
        read: { $0 == "fuzzed" ? .success(bytes) : .failure(.notFound) }, glob: { _ in [] })
    do throws(SettingsError) {
        let loaded = try Configuration.load(
            Overrides(configPath: "fuzzed"), environment: [:], files: files)
        let text = loaded.configuration.canonicalText
        let again = try Configuration(canonicalText: Array(text.utf8))
        precondition(again == loaded.configuration, "canonical text says something else:\n\(text)")
    } catch {
        precondition(!error.problems.isEmpty)
    }
    return 0
}
