import SuperviseCore
import SuperviseSettings

/// Any bytes as the configuration of another program: the result is a config file whose lines are all
/// understood, never a trap.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzImport(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    for source in ServiceImport.Source.allCases {
        let result = ServiceImport.convert(source, bytes, path: "fuzzed")
        let file = Array(result.text.utf8)
        let files = FileAccess(
            read: { $0 == "fuzzed" ? .success(file) : .failure(.notFound) }, glob: { _ in [] })
        do throws(SettingsError) {
            _ = try Configuration.load(
                Overrides(configPath: "fuzzed"), environment: [:], files: files)
        } catch {
            // Two values can contradict each other, but none is malformed.
            for problem in error.problems {
                precondition(
                    !problem.message.contains("is not a") && !problem.message.contains("unknown"),
                    "\(problem)\n\(result.text)")
            }
        }
    }
    return 0
}
