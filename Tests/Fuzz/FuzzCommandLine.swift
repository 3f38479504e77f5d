import SuperviseCore
import SuperviseSettings

/// Arbitrary words as a command line, one per line of the input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCommandLine(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let text = String(decoding: UnsafeBufferPointer(start: data, count: count), as: UTF8.self)
    let words = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    do throws(SettingsError) {
        switch try Invocation.parse(words) {
        case .run(let overrides), .check(let overrides):
            let loaded = try Configuration.load(overrides, environment: [:], files: .none)
            precondition(!loaded.configuration.pools.isEmpty)
        case .help(let topic):
            precondition(!topic.text.isEmpty)
        case .man, .importing, .completions, .demo, .version, .nothing, .command:
            break
        }
    } catch {
        precondition(!error.problems.isEmpty)
    }
    return 0
}
